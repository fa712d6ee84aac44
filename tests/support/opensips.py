"""Starts a gateway's OpenSIPS as its container does: through the entrypoint, with the environment as configuration."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from local.containers.gateway import gateway
from opensips_scheduler import former_targets, schema
from opensips_scheduler.errors import Unreachable
from opensips_scheduler.management_interface import ManagementInterface

ROOT = Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get("OPENSIPS") or shutil.which("opensips")
MISSING = "the program 'opensips' (3.6) is not on the PATH, and OPENSIPS does not name it"
_READY_SECONDS = 10.0


class Gateway:
    """A gateway, as a context: OpenSIPS with its databases in `directory`, which must have a short path.

    Args:
        kind: `public` or `client`.
        directory: STATE_DIRECTORY.
        address: where it listens.
        settings: further environment, such as RING_TIMEOUT.
        ready: whether the scheduler's sign is put there; a test with a scheduler leaves that to it.

    """

    def __init__(
        self,
        kind: str,
        directory: Path,
        address: str,
        settings: Mapping[str, str] | None = None,
        *,
        ready: bool = True,
    ) -> None:
        self.kind, self.directory, self.address, self.ready = kind, directory, address, ready
        container = gateway(kind, directory, address, settings)
        self._command, self.environment = container.command, dict(container.environment)
        self.log = directory / f"{kind}-opensips.log"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until its management interface answers."""
        if self.ready:
            schema.create_routing_database(self.directory / "routing.db")
            schema.create_gateway_database(self.directory / "gateway.db")
            (self.directory / "ready").touch()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                self.mi("uptime", timeout=1.0)
            except Unreachable:
                ended = self.process.poll()
                if ended is not None or time.monotonic() > deadline:
                    self.stop()
                    raise AssertionError(f"OpenSIPS does not answer ({ended}):\n{self.log_text()[-4000:]}") from None
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """End it, as ECS does: told to first, and killed when it does not listen."""
        if self.process is None:
            return
        process, self.process = self.process, None
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            # OpenSIPS is the entrypoint's child, and in its group.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def kill(self) -> None:
        """End it and all its workers as a crash does."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def mi(self, method: str, *, timeout: float = 5.0, **params: Any) -> Any:
        """Send a command to its management interface."""
        own = self.directory / "mi-test.sock"
        return ManagementInterface(self.directory / "mi.sock", own, timeout).call(method, params)

    def statistic(self, name: str) -> int:
        """Return one of its own statistics."""
        ((_, value),) = self.mi("get_statistics", statistics=[name]).items()
        return int(value)

    def log_text(self) -> str:
        """Return what it logged."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def targets(self) -> list[str]:
        """Return the URIs of the switches that it sends calls to."""
        found = self.mi("lb_list")["Destinations"]
        return [each["uri"] for each in found if each["group"] != former_targets.GROUP]

    # --- rows, for tests without a scheduler

    def write(self, statement: str, rows: Sequence[Sequence[object]] = ((),)) -> None:
        """Run a statement on `routing.db` for each of some rows; the reload is the caller's."""
        connection = sqlite3.connect(self.directory / "routing.db", timeout=5)
        try:
            with connection:
                connection.executemany(statement, rows)
        finally:
            connection.close()

    def set_targets(self, *targets: tuple[int, str, str, str], password: str = "ClueCon") -> None:
        """Have exactly these targets: group, resource (`gw`, `gwalt`), SIP URI, `host:port` of the event socket.

        Where it does not run, it has them from its next start on.
        """
        self.write("DELETE FROM load_balancer")
        self.write(
            "INSERT INTO load_balancer (group_id, dst_uri, resources, probe_mode) VALUES (?, ?, ?, 2)",
            [(group, uri, f"{name}=fs://:{password}@{events}") for group, name, uri, events in targets],
        )
        if self.process is not None:
            self.mi("lb_reload")

    def set_addresses(self, *addresses: tuple[int, str]) -> None:
        """Have exactly these source addresses: group, IPv4 address."""
        self.write("DELETE FROM address")
        self.write("INSERT INTO address (grp, ip, mask) VALUES (?, ?, 32)", addresses)
        self.mi("address_reload")
