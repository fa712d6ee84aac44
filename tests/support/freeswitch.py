"""Starts FreeSWITCH as its container does: through the entrypoint, with the environment as configuration."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

from local.containers.freeswitch import freeswitch

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "containers" / "freeswitch"
BINARY = os.environ.get("FREESWITCH") or shutil.which("freeswitch")
MISSING = "the program 'freeswitch' (1.10) is not on the PATH, and FREESWITCH does not name it"
PASSWORD = "event-socket-secret"
NAT_INSTANCE_IP = "18.141.245.230"
_READY_SECONDS = 20.0


class FreeSwitchProcess:
    """A FreeSWITCH, as a context, with what it writes in `directory`.

    Args:
        directory: an empty directory.
        address: where it listens, also for the event socket.
        app: host and port that it hands calls over at.
        settings: further environment.

    """

    def __init__(self, directory: Path, address: str, app: str, settings: Mapping[str, str] | None = None) -> None:
        self.directory, self.address = directory, address
        self.records = directory / "records"
        self.log = directory / "freeswitch.log"
        for name in ("state", "records"):
            (directory / name).mkdir()
        own = {"FS_NAT_INSTANCE_IP": NAT_INSTANCE_IP, "FS_LOG_LEVEL": "info", **(settings or {})}
        container = freeswitch(directory, address, app, PASSWORD, own)
        self._command, self.environment = container.command, dict(container.environment)
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and wait until its health check is content."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _READY_SECONDS
        while (check := self.healthcheck()).returncode != 0:
            ended = self.process.poll()
            if ended is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"FreeSWITCH is not healthy ({ended}): {check.stderr}\n{self.log_text()[-4000:]}")
            time.sleep(0.1)

    def healthcheck(self) -> subprocess.CompletedProcess[str]:
        """Run the container's health check."""
        return subprocess.run(
            [str(FOLDER / "healthcheck.sh")], env=self.environment, capture_output=True, text=True, timeout=10
        )

    def stop(self, *, kill: bool = False) -> None:
        """End it, as ECS does, or at once."""
        if self.process is None:
            return
        process, self.process = self.process, None
        if not kill:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
        # FreeSWITCH is the entrypoint's child, and in its group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def log_text(self) -> str:
        """Return what it logged."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def recorded(self, call_sid: str) -> list[dict[str, Any]]:
        """Return the variables of each whole data record that counts for a call."""
        found = []
        for path in sorted(self.records.glob("*.json")):
            try:
                variables = json.loads(path.read_text())["variables"]
            except ValueError:
                continue  # it is being written
            sids = {unquote(variables.get(f"sip_{kind}_X-Somleng-CallSid", "")) for kind in ("h", "rh")}
            if "record_cdr" in variables and call_sid in sids:
                found.append(variables)
        return found
