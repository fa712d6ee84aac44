"""Finds out, while OpenSIPS and the scheduler run, that a file of theirs was damaged, replaced or removed."""

import logging
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from opensips_scheduler import schema
from opensips_scheduler.state_directory import set_aside

logger = logging.getLogger(__name__)

_HEADER: Final = b"SQLite format 3\0"
"""What every SQLite file begins with: https://www.sqlite.org/fileformat.html"""


@dataclass(slots=True)
class FileWatch:
    """Finds out that a file is no longer the one that OpenSIPS and the scheduler have open, or was damaged.

    Attributes:
        path: the file, which is there.

    """

    path: Path
    _identity: tuple[int, int] = field(init=False)
    _descriptor: int = field(init=False)

    def __post_init__(self) -> None:
        self._identity = self._look()
        # Never closed: closing a file drops all locks that this process has on it, those of SQLite's connections too
        # (https://www.sqlite.org/howtocorrupt.html, section 2.2). OpenSIPS would then take itself for the last that has
        # the file open, remove the write-ahead log, and nothing that it writes later would be seen here.
        self._descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)

    def _look(self) -> tuple[int, int]:
        found = self.path.stat()
        return found.st_dev, found.st_ino

    def damage(self, *, thorough: bool) -> str | None:
        """Return what is wrong with the file, None when nothing is.

        Args:
            thorough: whether the whole file is looked at, rather than just its beginning.

        """
        try:
            if self._look() != self._identity:
                return "was replaced"
        except FileNotFoundError:
            return "is gone"
        if os.pread(self._descriptor, len(_HEADER), 0) != _HEADER:
            return "is no SQLite file"
        return "is corrupt" if thorough and schema.is_corrupt(self.path) else None


class DamageWatch:
    """Watches some files; what is damaged stays damaged, until somebody makes it anew.

    Args:
        is_suspect: tells that somebody met an error which damage explains, so that files are looked at thoroughly.
        thorough_interval: seconds after which they are in any case: a thorough look reads the whole file.
        clock: seconds.

    """

    def __init__(
        self,
        is_suspect: Callable[[], bool],
        thorough_interval: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._is_suspect, self._interval, self._clock = is_suspect, thorough_interval, clock
        self._thorough_at = clock()
        self._watched: list[FileWatch] = []
        self._damaged: list[Path] = []

    def watch(self, paths: Iterable[Path]) -> None:
        """Begin to watch files as they are now."""
        self._watched = [FileWatch(path) for path in paths]

    def look(self) -> bool:
        """Return whether a file was found damaged, now or earlier."""
        now = self._clock()
        thorough = now - self._thorough_at >= self._interval or self._is_suspect()
        for each in self._watched:
            if each.path not in self._damaged and (damage := each.damage(thorough=thorough)) is not None:
                logger.error("file is damaged and is made anew", extra={"path": str(each.path), "reason": damage})
                self._damaged.append(each.path)
        if thorough:
            self._thorough_at = now
        return bool(self._damaged)

    def set_aside(self) -> None:
        """Move what was damaged out of the way, when nobody here writes to it any more."""
        for path in self._damaged:
            set_aside(path)
