"""Keeps processes running: one that ends is reported with the end of its log, and started anew after a pause.

A process that fails again and again is given up, and so is one whose exit status says that a setting is wrong.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from local.errors import ServerFailed
from local.processes import Identity, Server, end_of

_WRONG_SETTING = os.EX_CONFIG
_LOOK_SECONDS = 0.1
_END_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before a process is started again.

    Attributes:
        first: seconds before the first time; each further pause is twice as long.
        longest: seconds, at most.
        lives: how many short lives in a row it may have.
        settled: seconds after which a life was not short.

    """

    first: float = 0.5
    longest: float = 8.0
    lives: int = 5
    settled: float = 30.0

    def pause(self, short_lives: int) -> float:
        """Return the pause after so many short lives in a row, at least one."""
        return float(min(self.longest, self.first * 2 ** (short_lives - 1)))


class Supervisor:
    """Runs processes until it is stopped.

    Args:
        note: is told who a process is now, each time that it was started.
        forget: is told the name of a process that has ended as it was told.
        report: is told, for people, what became of one.
        backoff: see Backoff.

    """

    def __init__(
        self,
        note: Callable[[Identity], None],
        forget: Callable[[str], None],
        report: Callable[[str], None],
        backoff: Backoff | None = None,
    ) -> None:
        self._note, self._forget, self._report = note, forget, report
        self._backoff = backoff or Backoff()
        self._watched: dict[str, _Watched] = {}
        self._stopping = threading.Event()

    @property
    def servers(self) -> list[Server]:
        """What runs, or should run, in the order in which it was started."""
        return [watched.server for watched in self._watched.values()]

    def start(self, server: Server, *, restarts: bool = True) -> None:
        """Start a process, without waiting until it serves.

        Args:
            server: the process.
            restarts: whether it is of any use when it was started again; one that forgets everything is not.

        Raises:
            ServerFailed: when it cannot be started.

        """
        self._note(server.start())
        watched = _Watched(server, restarts)
        self._watched[server.name] = watched
        watched.thread = threading.Thread(target=self._watch, args=(watched,), name=server.name, daemon=True)
        watched.thread.start()

    def wait_until_ready(self, seconds: float, *servers: Server) -> None:
        """Wait until everything serves, or some of it.

        Raises:
            ServerFailed: naming one that was given up, or does not serve in time.

        """
        deadline = time.monotonic() + seconds
        wanted = [server.name for server in servers] or list(self._watched)
        for watched in [self._watched[name] for name in wanted]:
            while not watched.server.is_ready():
                if watched.given_up:
                    raise ServerFailed(watched.given_up)
                if time.monotonic() > deadline:
                    log = end_of(watched.server.log)
                    raise ServerFailed(f"{watched.server.name} is not ready after {seconds:.0f} seconds; {log}")
                time.sleep(_LOOK_SECONDS)

    def end(self, server: Server, seconds: float) -> int:
        """Tell a process to end, as a container is told, and return its exit status.

        Raises:
            ServerFailed: when it has not ended in time.

        """
        watched = self._watched.pop(server.name)
        watched.is_to_end.set()
        server.tell()
        status = server.wait(seconds)
        if status is None:
            server.tell_all(signal.SIGKILL)
            raise ServerFailed(f"{server.name} goes on {seconds:.0f} seconds after it was told to end")
        server.tell_all(signal.SIGKILL)  # what it left
        self._forget(server.name)
        return status

    def stop(self) -> None:
        """End everything at once: told to first, and forced to after three seconds."""
        self._stopping.set()
        for watched in self._watched.values():
            watched.is_to_end.set()
        for number in (signal.SIGTERM, signal.SIGKILL):
            for server in self.servers:
                server.tell_all(number)
            deadline = time.monotonic() + _END_SECONDS
            for server in self.servers:
                server.wait(max(0.0, deadline - time.monotonic()))
        for watched in self._watched.values():
            if watched.thread is not None:
                watched.thread.join(_END_SECONDS)

    def _watch(self, watched: "_Watched") -> None:
        short_lives = 0
        server = watched.server
        while True:
            began = time.monotonic()
            status = server.wait()
            if watched.is_to_end.is_set() or self._stopping.is_set():
                return
            lived = time.monotonic() - began
            short_lives = 1 if lived > self._backoff.settled else short_lives + 1
            server.tell_all(signal.SIGKILL)  # what it left would hold its ports
            what = f"{server.name} ended with status {status} after {lived:.1f} seconds"
            if not watched.restarts or status == _WRONG_SETTING or short_lives >= self._backoff.lives:
                times = f", {short_lives} times in a row" if short_lives > 1 else ""
                watched.given_up = f"{what}{times}, and is given up; {end_of(server.log)}"
                self._report(watched.given_up)
                return
            pause = self._backoff.pause(short_lives)
            self._report(f"{what}; it is started again in {pause:g} seconds; {end_of(server.log)}")
            if watched.is_to_end.wait(pause) or self._stopping.is_set():
                return
            with contextlib.suppress(ServerFailed):  # its status stays what it was: it counts as another short life
                self._note(server.start())
            if self._stopping.is_set():
                server.tell_all(signal.SIGKILL)


class _Watched:
    """A process, and what is known of it."""

    def __init__(self, server: Server, restarts: bool) -> None:
        self.server, self.restarts = server, restarts
        self.is_to_end = threading.Event()
        self.given_up = ""
        self.thread: threading.Thread | None = None
