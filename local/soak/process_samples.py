"""Looks at a run's processes now and then, in a thread: memory and descriptors of each with all that it started."""

import contextlib
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from local.processes import Server
from local.soak.growth import Sample

Life = tuple[str, int]
"""A process's name, and its number in one of its lives."""
_PROC = Path("/proc")
_SESSION = 3
"""Of the fields of /proc/<pid>/stat after the command: state, ppid, pgrp, session (proc(5))."""


class ProcessSamples:
    """Samples of each life of each process, as a context; it looks while that lasts.

    Args:
        servers: returns the processes that run now.
        interval: seconds between two looks.

    """

    def __init__(self, servers: Callable[[], Sequence[Server]], interval: float) -> None:
        self._servers, self._interval = servers, interval
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="samples", daemon=True)
        self.lives: dict[Life, list[Sample]] = defaultdict(list)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ends.wait(self._interval):
            self.look()

    def look(self) -> None:
        """Take a sample of each."""
        sessions, now = _sessions(), time.monotonic()
        for server in self._servers():
            pid = server.pid
            if pid is None or pid not in sessions:
                continue
            # One that ends while it is looked at has no sample.
            with contextlib.suppress(OSError):
                found = [(_megabytes(each), len(os.listdir(_PROC / str(each) / "fd"))) for each in sessions[pid]]
                self.lives[server.name, pid].append(
                    Sample(now, sum(size for size, _ in found), sum(count for _, count in found))
                )


def _sessions() -> dict[int, list[int]]:
    """Return the processes of each session; each of a run's leads one."""
    sessions: dict[int, list[int]] = defaultdict(list)
    for path in _PROC.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            sessions[int(path.read_text().rpartition(")")[2].split()[_SESSION])].append(int(path.parent.name))
    return sessions


def _megabytes(pid: int) -> float:
    """Return a process's resident memory, with its share of what it has in common with others (proc(5): Pss)."""
    for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0
