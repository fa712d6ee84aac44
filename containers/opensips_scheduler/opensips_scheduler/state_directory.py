"""The directory where OpenSIPS and the scheduler meet, and what is in it."""

import logging
from dataclasses import dataclass
from pathlib import Path

from opensips_scheduler import schema
from opensips_scheduler.management_interface import ManagementInterface
from opensips_scheduler.management_pipe import ManagementPipe

logger = logging.getLogger(__name__)


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
