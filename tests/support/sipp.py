"""Runs SIPp scenarios, and reads what was really said."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.support.sip_message import Message
from tests.support.waiting import until

BINARY = shutil.which("sipp")
MISSING = "the program 'sipp' is not on the PATH (Debian: apt install sip-tester)"
CANNOT_PRESS = "SIPp presses digits by a raw socket: sudo setcap cap_net_raw+ep $(command -v sipp)"
_MARK = re.compile(rb"^-{20,} \d{4}-\d\d-\d\d.*?\n.*?message (sent|received) .*?\n\n", re.MULTILINE)


class Sipp:
    """One SIPp, as a context: it runs from entering until leaving.

    Args:
        scenario: the XML file.
        directory: where its logs go.
        address: its own address.
        port: its own SIP port.
        remote: `host:port` that a caller sends to; None for one that waits for calls.
        calls: how many calls until it ends by itself; None for as long as it is let.
        keys: values for `[name]` in the scenario.
        talk: seconds that a `<pause/>` of the scenario lasts.
        options: further command-line options.

    """

    def __init__(
        self,
        scenario: Path,
        directory: Path,
        address: str,
        *,
        port: int = 5060,
        remote: str | None = None,
        calls: int | None = 1,
        keys: Mapping[str, str] | None = None,
        talk: float = 0.3,
        options: tuple[str, ...] = (),
    ) -> None:
        self.name = f"{scenario.stem}-{address}-{port}-{time.monotonic_ns()}"
        self._messages = directory / f"{self.name}.messages"
        self._errors = directory / f"{self.name}.errors"
        self._command = [BINARY or "sipp", *([remote] if remote else []), "-sf", str(scenario)]
        self._command += ["-i", address, "-p", str(port), "-mi", address, "-nostdin", "-nd", "-timeout_error"]
        self._command += ["-trace_msg", "-message_file", str(self._messages)]
        self._command += ["-trace_err", "-error_file", str(self._errors)]
        if calls is not None:
            self._command += ["-m", str(calls)]
        for name, value in (keys or {}).items():
            self._command += ["-key", name, value]
        self._command += ["-d", str(int(talk * 1000)), *options]
        self._directory, self._place, self._waits_for_calls = directory, (address, port), remote is None
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with (self._directory / f"{self.name}.out").open("wb") as output:
            self.process = subprocess.Popen(
                self._command, cwd=self._directory, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        if self._waits_for_calls:
            until(f"{self.name} to listen", lambda: _listens(*self._place) or not self._is_running(), 5)
        return self

    def _is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def wait(self, seconds: float = 20.0) -> "Sipp":
        """Wait until all its calls went as its scenario says; otherwise fail with what happened instead."""
        assert self.process is not None
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.name} is not done after {seconds} seconds\n{self._report()}") from None
        assert status == 0, f"{self.name} ended with {status}\n{self._report()}"
        return self

    @property
    def messages(self) -> list[Message]:
        """Everything that was sent and received so far, in order."""
        if not self._messages.exists():
            return []
        content = self._messages.read_bytes()
        marks = list(_MARK.finditer(content))
        ends = [*(mark.start() for mark in marks), len(content)][1:]
        return [
            Message(mark[1].decode(), content[mark.end() : end].decode(errors="replace").rstrip("\n"))
            for mark, end in zip(marks, ends, strict=True)
        ]

    def received(self, start: str) -> list[Message]:
        """Return the received messages whose first line starts so (`INVITE`, `SIP/2.0 200`)."""
        return [one for one in self.messages if one.direction == "received" and one.first_line.startswith(start)]

    def sent(self, start: str) -> list[Message]:
        """Return the sent messages whose first line starts so."""
        return [one for one in self.messages if one.direction == "sent" and one.first_line.startswith(start)]

    def _report(self) -> str:
        errors = self._errors.read_text(errors="replace") if self._errors.exists() else ""
        said = "\n".join(f"--- {message.direction}\n{message.text}" for message in self.messages)
        return f"{errors[-3000:]}\n{said[-12000:]}"


def can_press() -> bool:
    """Tell whether SIPp may open the raw socket that `play_dtmf` of a scenario takes."""
    if BINARY is None:
        return False
    return os.geteuid() == 0 or "security.capability" in os.listxattr(os.path.realpath(BINARY))


def _listens(address: str, port: int) -> bool:
    """Tell whether anybody has this UDP port; the kernel lists addresses in hex, in its own byte order."""
    place = f"{int.from_bytes(socket.inet_aton(address), sys.byteorder):08X}:{port:04X}"
    return f" {place} " in Path("/proc/net/udp").read_text()


def run(*arguments: object, seconds: float = 20.0, **options: object) -> Sipp:
    """Run a SIPp to the end of its calls and return it."""
    with Sipp(*arguments, **options) as sipp:  # type: ignore[arg-type]
        return sipp.wait(seconds)
