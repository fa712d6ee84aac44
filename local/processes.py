"""Processes that outlive a function: started in sessions of their own, ended whole, never mistaken for others."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from local.errors import CommandFailed, LocalError, ServerFailed

_GRACE_SECONDS = 5.0
_SHOWN_LINES = 25


@dataclass(frozen=True, slots=True)
class Identity:
    """A process for as long as it lives; a number alone may be somebody else's by tomorrow.

    Attributes:
        name: what it is, for people.
        pid: its number; it leads a process group of the same number.
        started: when it started, as `ps` tells it.

    """

    name: str
    pid: int
    started: str

    @classmethod
    def of(cls, name: str, pid: int) -> "Identity":
        """Return the identity of a living process."""
        return cls(name, pid, _started(pid))

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> "Identity":
        """Return what `to_json` was made of."""
        return cls(str(value["name"]), int(str(value["pid"])), str(value["started"]))

    def to_json(self) -> dict[str, object]:
        """Return it as JSON can hold it."""
        return asdict(self)

    def is_alive(self) -> bool:
        """Tell whether that very process lives."""
        return bool(self.started) and _started(self.pid) == self.started

    def end(self) -> None:
        """End the process and its group: told to at first, and after five seconds forced to."""
        if not self.is_alive():
            return
        signal_group(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_SECONDS
        while self.is_alive() and time.monotonic() < deadline:
            time.sleep(0.05)
        # Members of the group may be left when its leader has gone already.
        signal_group(self.pid, signal.SIGKILL)
        while self.is_alive() and time.monotonic() < deadline + _GRACE_SECONDS:
            time.sleep(0.05)

    def end_alone(self, seconds: float) -> None:
        """Tell the process to end, not its group, which may be that of a shell; wait so long until it has."""
        deadline = time.monotonic() + seconds
        with contextlib.suppress(ProcessLookupError):
            if self.is_alive():
                os.kill(self.pid, signal.SIGTERM)
        while self.is_alive() and time.monotonic() < deadline:
            time.sleep(0.05)


class Server:
    """A process that serves until it is stopped.

    Args:
        name: what it is, for people and for its log's name.
        command: what to run.
        environment: its whole environment.
        directory: where it runs and where its log, `<name>.log`, lies.
        is_ready: tells whether it serves; may raise OSError while it does not.

    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        directory: Path,
        is_ready: Callable[[], bool],
    ) -> None:
        self.name = name
        self._command, self._environment = list(command), dict(environment)
        self._directory, self._is_ready = directory, is_ready
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What it prints, in all its lives."""
        return self._directory / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """Its process number; None while there is no process."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    def is_ready(self) -> bool:
        """Tell whether it serves."""
        try:
            return self.status() is None and self._is_ready()
        except OSError:
            return False

    def status(self) -> int | None:
        """Return the exit status of its last process; None while that lives."""
        return None if self._process is None else self._process.poll()

    def start(self) -> Identity:
        """Start it, without waiting until it serves.

        Raises:
            ServerFailed: when it cannot be started.

        """
        with self.log.open("ab") as log:
            try:
                self._process = subprocess.Popen(
                    self._command,
                    env=self._environment,
                    cwd=self._directory,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise ServerFailed(f"{self.name} cannot be started: {error}") from error
        return Identity.of(self.name, self._process.pid)

    def wait_until_ready(self, seconds: float) -> None:
        """Wait until it serves.

        Raises:
            ServerFailed: when it ends, or does not serve in time.

        """
        deadline = time.monotonic() + seconds
        while True:
            if self.is_ready():
                return
            status = self.status()
            if status is not None:
                raise ServerFailed(f"{self.name} ended with status {status}; {end_of(self.log)}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.name} does not answer after {seconds:.0f} seconds; {end_of(self.log)}")
            time.sleep(0.05)

    def wait(self, seconds: float | None = None) -> int | None:
        """Return its exit status once it has ended; None when it has not within some seconds."""
        if self._process is None:
            return None
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def tell(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal to its first process alone, as a container's gets it."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def tell_all(self, number: signal.Signals) -> None:
        """Send a signal to its first process and all that it started."""
        if self._process is not None:
            signal_group(self._process.pid, number)

    def stop(self) -> None:
        """End it with all that it started."""
        if self._process is None:
            return
        process, self._process = self._process, None
        _end_child(process)


def run(command: Sequence[str], environment: Mapping[str, str], directory: Path, log: Path, seconds: float) -> None:
    """Run a command to its end, its output in a file. Whatever ends the wait early ends the command's whole group.

    Raises:
        CommandFailed: when it fails, cannot be started, or takes longer than `seconds`.

    """
    with log.open("ab") as output:
        try:
            process = subprocess.Popen(
                list(command),
                env=dict(environment),
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise CommandFailed(f"{command[0]} cannot be started: {error}") from error
    try:
        status = process.wait(seconds)
    except subprocess.TimeoutExpired:
        raise CommandFailed(f"{command[0]} takes longer than {seconds:.0f} seconds; {end_of(log)}") from None
    finally:
        _end_child(process)
    if status:
        raise CommandFailed(f"{' '.join(map(str, command[:3]))} ended with status {status}; {end_of(log)}")


def _end_child(process: "subprocess.Popen[bytes]") -> None:
    """End a child and its group, and reap it; a group may have members when the child itself has ended."""
    signal_group(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_SECONDS)
    signal_group(process.pid, signal.SIGKILL)
    process.wait()


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to every process of a group; to none when nobody is left."""
    # macOS answers "not permitted" for a group of which only zombies are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _started(pid: int) -> str:
    """Return when a process started; empty for one that is dead, be it unburied or not."""
    try:
        told = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise LocalError("the command 'ps' is needed to tell processes apart (Debian: apt install procps)") from None
    state, _, started = told.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()


def end_of(log: Path) -> str:
    """Return the last lines of a log, for a message."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    if not lines:
        return f"it printed nothing ({log})"
    return f"the end of {log}:\n" + "\n".join(f"  {line}" for line in lines[-_SHOWN_LINES:])
