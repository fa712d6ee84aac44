"""Sources that are written down in a file, and may be written anew while the system runs."""

import os
from pathlib import Path

from local.live.sources import Sources


class SourcesFile:
    """The file.

    Args:
        path: what `Sources.write` wrote.

    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: tuple[int, int] | None = None

    def read(self) -> Sources:
        """Return what is in it.

        Raises:
            OSError: when it cannot be read.
            ValueError: when it is not what `Sources.write` writes.

        """
        self._known = _identity(self._path)
        return Sources.read(self._path)

    def changed(self) -> Sources | None:
        """Return what is in it when it was written anew since it was read; None otherwise, and when it is gone."""
        try:
            return None if _identity(self._path) == self._known else self.read()
        except (OSError, ValueError):
            return None


def _identity(path: Path) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_ino, status.st_mtime_ns
