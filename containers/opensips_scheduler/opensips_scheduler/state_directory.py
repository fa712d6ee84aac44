"""The directory where OpenSIPS and the scheduler meet, and whether the files in it are still what they should be."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from opensips_scheduler import schema
from opensips_scheduler.management_interface import ManagementInterface
from opensips_scheduler.management_pipe import ManagementPipe

logger = logging.getLogger(__name__)

_HEADER: Final = b"SQLite format 3\0"
"""What every SQLite file begins with: https://www.sqlite.org/fileformat.html"""


@dataclass(frozen=True, slots=True)
class StateDirectory:
    """Where everything is."""

    path: Path

    @property
    def routing_database(self) -> Path:
        """What the scheduler writes and OpenSIPS reads."""
        return self.path / "routing.db"

    @property
    def gateway_database(self) -> Path:
        """What OpenSIPS writes: contacts and dialogs."""
        return self.path / "gateway.db"

    @property
    def ready(self) -> Path:
        """The sign that OpenSIPS may start."""
        return self.path / "ready"

    def management(self, name: str, seconds: float = 5.0) -> ManagementInterface:
        """Return a way to send commands, for one thread; its name is nobody else's."""
        return ManagementInterface(self.path / "mi.sock", self.path / f"mi-{name}.sock", seconds)

    def management_pipe(self, name: str) -> ManagementPipe:
        """Return a way to send commands whose answers are long, for one thread."""
        return ManagementPipe(self.path / "mi.fifo", self.path / f"mi-{name}")

    def set_aside_damaged(self) -> bool:
        """Move files that SQLite cannot use out of the way; return whether one was, or is not there at all."""
        incomplete = False
        for path in (self.routing_database, self.gateway_database):
            if schema.is_corrupt(path):
                logger.error("file is corrupt and is made anew", extra={"path": str(path)})
                set_aside(path)
            incomplete = incomplete or not path.exists()
        return incomplete


def set_aside(path: Path) -> None:
    """Rename a SQLite file and what belongs to it."""
    for part in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        if part.exists():
            part.replace(f"{part}.corrupt")


@dataclass(slots=True)
class FileWatch:
    """Finds out that a file is no longer the one that OpenSIPS and the scheduler have open, or was damaged.

    Attributes:
        path: the file, which is there.

    """

    path: Path
    _identity: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self._identity = self._look()

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
            with self.path.open("rb") as file:
                if file.read(len(_HEADER)) != _HEADER:
                    return "is no SQLite file"
        except FileNotFoundError:
            return "is gone"
        return "is corrupt" if thorough and schema.is_corrupt(self.path) else None
