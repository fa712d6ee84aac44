"""Starts the event logger as its container does, beside an event socket and a platform."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from local.containers.event_logger import event_logger
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parent.parent.parent
PARAMETER = "somleng.test.services_password"
PASSWORD = "services-password"


class EventLogger:
    """The sidecar, as a process and a context.

    Args:
        directory: an empty one: `records` in it is where call data records wait, `log` what it writes.
        event_socket: host and port.
        event_socket_password: FreeSWITCH's.
        platform: URL.
        parameters: URL of the parameter store.
        port: of its health check.
        settings: further environment.

    """

    def __init__(
        self,
        directory: Path,
        event_socket: str,
        event_socket_password: str,
        platform: str,
        parameters: str,
        port: int,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.records, self.log, self.port = directory / "records", directory / "log", port
        self.records.mkdir(exist_ok=True)
        own = {
            "AWS_ENDPOINT_URL": parameters,
            "CALL_PLATFORM_HOST": platform,
            "CALL_PLATFORM_PASSWORD_PARAMETER": PARAMETER,
            "CALL_STATUS_HEARTBEAT_INTERVAL_SECONDS": "0.3",
            "METRICS_INTERVAL": "0.2",
            "SESSION_COUNT_INTERVAL": "0.1",
            **(settings or {}),
        }
        container = event_logger(self.records, event_socket, event_socket_password, port, own)
        self._command, self.environment = container.command, dict(container.environment)
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self._command, env=self.environment, stdout=log, stderr=log)

    def wait_until_connected(self) -> None:
        """Wait until it has logged in at the event socket."""
        until("the event logger", lambda: self.health("/event_socket")[0] == 200, 20)

    def tell(self) -> None:
        """Tell it to stop."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)

    def end(self, seconds: float = 10) -> int:
        """Wait for its end, and return its exit status."""
        assert self.process is not None
        return self.process.wait(seconds)

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)

    def health(self, path: str = "") -> tuple[int, str]:
        """Return what `GET /health` is answered; 0 when it is not."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def lines(self, wanted: Callable[[dict[str, Any]], object] = bool) -> list[dict[str, Any]]:
        """Return the lines that it wrote, or some of them; each must be JSON."""
        text = self.log.read_text()
        whole = text[: text.rfind("\n") + 1]
        return [line for line in map(json.loads, whole.splitlines()) if wanted(line)]

    def values(self, metric: str) -> list[float]:
        """Return the values of a metric, as they were written."""
        return [line[metric][0] for line in self.lines(lambda line: metric in line and "_aws" in line)]

    def left(self) -> list[Path]:
        """Return the records that wait."""
        return sorted(self.records.glob("*.json"))


def write_record(directory: Path, uuid: str, age: float = 0.0, **variables: str) -> Path:
    """Write a record as mod_json_cdr does: with numbers that are none, and in one go."""
    content = {
        "core-uuid": "5cc24afd-ea42-4605-858d-5c47b597b646",
        "variables": {"record_cdr": "true", "uuid": uuid, "sip_invite_failure_phrase": "Busy%20Here", **variables},
        "callStats": {"audio": {"inbound": {"mos": None, "note": "~~~???>>>"}}},
    }
    path = directory / f"{uuid}.cdr.json"
    hidden = directory / f".{uuid}.writing"
    hidden.write_text(json.dumps(content).replace("null", "-nan"))
    written = time.time() - age
    os.utime(hidden, (written, written))
    hidden.rename(path)
    return path
