"""The reloads that OpenSIPS owes: which are due, running them, and noticing that OpenSIPS was started anew."""

import threading
import time
from collections.abc import Iterable
from typing import Any, Protocol


class Commands(Protocol):
    """Where management commands go."""

    def call(self, method: str, parameters: dict[str, Any] | None = None) -> Any:
        """Run a command."""
        ...


class Reloads:
    """Commands that have OpenSIPS read its tables again. Any thread may say that one is due; one thread runs them.

    Every one is due at the start and after a restart of OpenSIPS, for nobody knows what it has read.

    Args:
        commands: OpenSIPS.
        all_commands: the reloads of this kind of gateway.

    """

    def __init__(self, commands: Commands, all_commands: Iterable[str]) -> None:
        self._commands = commands
        self._all = tuple(dict.fromkeys(all_commands))
        self._due: dict[str, None] = dict.fromkeys(self._all)
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._up_since: str | None = None
        self.seconds: dict[str, float] = {}
        self.done: dict[str, int] = {}
        self.restarts = 0

    @property
    def due(self) -> tuple[str, ...]:
        """The reloads that OpenSIPS has not answered yet."""
        with self._lock:
            return tuple(self._due)

    def require(self, *commands: str) -> None:
        """Have reloads due."""
        with self._lock:
            self._due |= dict.fromkeys(commands)
        self._changed.set()

    def wait(self, seconds: float) -> None:
        """Return as soon as another reload became due, or after some time."""
        self._changed.wait(seconds)
        self._changed.clear()

    def require_all(self) -> None:
        """Have every reload due."""
        self.require(*self._all)

    def notice_restart(self) -> None:
        """Have every reload due when OpenSIPS was started anew: what it read then may be older than the file is now.

        Raises:
            Unreachable: when OpenSIPS does not answer.
            ManagementError: when it refuses.

        """
        answer = self._commands.call("uptime")
        up_since = str(answer.get("Up since")) if isinstance(answer, dict) else ""
        if up_since == self._up_since:
            return
        if self._up_since is not None:
            self.require_all()
            self.restarts += 1
        self._up_since = up_since

    def run(self) -> None:
        """Run what is due. One that fails stays due, and those after it.

        Raises:
            Unreachable: when OpenSIPS does not answer.
            ManagementError: when it refuses.

        """
        for command in self.due:
            with self._lock:
                # Before the command: what becomes due while it runs is due again.
                self._due.pop(command, None)
            began = time.perf_counter()
            try:
                self._commands.call(command)
            except BaseException:
                self.require(command)
                raise
            self.seconds[command] = time.perf_counter() - began
            self.done[command] = self.done.get(command, 0) + 1
