"""Starts the gateways' scheduler as its container does."""

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from local import servers
from local.containers.scheduler import scheduler
from tests.support.routing_tables import ENVIRONMENT

NAME = "203.0.113.7"
"""What the gateway keeps its contacts under."""
PASSWORD = "ClueCon"


class Sidecar:
    """The scheduler of a gateway, as a process and a context.

    Args:
        kind: `public` or `client`.
        directory: STATE_DIRECTORY.
        address: where OpenSIPS listens.
        endpoint: where DynamoDB is.
        settings: further environment.

    """

    def __init__(
        self, kind: str, directory: Path, address: str, endpoint: str, settings: Mapping[str, str] | None = None
    ) -> None:
        self.directory, self.port = directory, servers.free_port()
        own = {"AWS_ENDPOINT_URL": endpoint, "GATEWAY_NAME": NAME, "FS_EVENT_SOCKET_PASSWORD": PASSWORD}
        self._container = scheduler(kind, directory, address, self.port, {**ENVIRONMENT, **own, **(settings or {})})
        self.log = directory / "scheduler.log"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self.log.open("ab") as log:
            command, environment = self._container.command, self._container.environment
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self, seconds: float = 8) -> int:
        """Tell it to end, and return its exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(seconds)

    def lines(self) -> list[dict[str, Any]]:
        """Return what it wrote to standard output: log lines and metrics."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def metrics(self, name: str) -> list[dict[str, Any]]:
        """Return the lines that carry a metric."""
        return [line for line in self.lines() if "_aws" in line and name in line]

    def is_healthy(self) -> bool:
        """Tell whether OpenSIPS may start."""
        return bool(self.health().get("healthy"))

    def health(self) -> dict[str, Any]:
        """Return what it says of itself; empty while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            return dict(json.load(error))
        except OSError:
            return {}
