"""Starts a media proxy (rtpengine) as its container does."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from local.containers.media_proxy import media_proxy

ROOT = Path(__file__).resolve().parent.parent.parent
BINARY = shutil.which("rtpengine")
MISSING = "the program 'rtpengine' is not on the PATH (Debian: apt install rtpengine-daemon)"
_FOLDER = ROOT / "containers" / "media_proxy"
_READY_SECONDS = 5.0


class MediaProxy:
    """A media proxy, as a context.

    Args:
        directory: where its log goes.
        address: where it is controlled, and its side of the switches.
        advertised: its side of the clients.
        settings: further environment.

    """

    def __init__(
        self, directory: Path, address: str, advertised: str, settings: Mapping[str, str] | None = None
    ) -> None:
        self.address, self.advertised = address, advertised
        self.socket = f"udp:{address}:2223"
        container = media_proxy(address, advertised, settings=settings)
        self._command, self.environment = container.command, dict(container.environment)
        self.log = directory / f"rtpengine-{address}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.process = self.launch()
        deadline = time.monotonic() + _READY_SECONDS
        while not self.is_healthy():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"rtpengine does not answer:\n{self.log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def launch(self) -> subprocess.Popen[bytes]:
        """Start its entrypoint, and wait for nothing."""
        with self.log.open("wb") as log:
            return subprocess.Popen(self._command, env=self.environment, stdout=log, stderr=log, start_new_session=True)

    def stop(self) -> int | None:
        """Tell it to end; return its exit status."""
        if self.process is None:
            return None
        process, self.process = self.process, None
        process.terminate()
        try:
            return process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # as a container ends: with every process in it
            return process.wait()

    @property
    def rtpengine(self) -> int:
        """The process id of rtpengine itself, the entrypoint's one long-lived child."""
        assert self.process
        for child in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            if Path(f"/proc/{child}/comm").read_text() == "rtpengine\n":
                return int(child)
        raise AssertionError("rtpengine does not run")

    def is_healthy(self) -> bool:
        """Tell what its container's health check says."""
        check = subprocess.run(
            [str(_FOLDER / "healthcheck.sh")], env=self.environment, check=False, stderr=subprocess.DEVNULL
        )
        return check.returncode == 0

    def calls(self) -> list[str]:
        """Return the Call-IDs of the calls that it has."""
        found = re.fullmatch(rb"d5:callsl(.*)e6:result2:oke", self._ask(b"d7:command4:liste"))
        assert found
        calls, rest = [], found[1]
        while rest:
            length, _, rest = rest.partition(b":")
            calls.append(rest[: int(length)].decode())
            rest = rest[int(length) :]
        return calls

    def forget(self, call_id: str) -> None:
        """End a call that nobody ended."""
        self._ask(f"d7:call-id{len(call_id)}:{call_id}7:command6:delete12:delete-delayi0ee".encode())

    def _ask(self, command: bytes) -> bytes:
        """Send a command of its control protocol, a bencoded dictionary, and return the answer."""
        cookie = uuid.uuid4().hex  # the same one again would be given the same answer
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(2)
            asking.connect((self.address, 2223))
            asking.send(f"{cookie} ".encode() + command)
            return asking.recv(65535).removeprefix(f"{cookie} ".encode())
