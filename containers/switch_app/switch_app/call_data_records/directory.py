"""The directory that records wait in, as blocking calls: a file is a record, and is removed once it is dealt with."""

import heapq
import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

SIZE_MAXIMUM: Final = 2 * 1024 * 1024
"""Bytes of a record; the media server's have some tens of thousands."""

SUFFIX: Final = ".cdr.json"
"""What the media server's files end with, and ours."""

_ASIDE: Final = "set-aside"
_ASIDE_MAXIMUM: Final = 1000


@dataclass(frozen=True, slots=True)
class RecordFile:
    """A file in the directory.

    Attributes:
        path: where it is.
        modified: when it was last written to, seconds since the epoch.
        size: bytes.

    """

    path: Path
    modified: float
    size: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What was in the directory at a look.

    Attributes:
        files: those to deal with next, in this order.
        count: how many there were in all.
        oldest: when the oldest of all was last written to, seconds since the epoch; None when there was none.

    """

    files: Sequence[RecordFile]
    count: int
    oldest: float | None


class RecordDirectory:
    """The files of records.

    Args:
        path: the directory; it is made when there is none.

    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._aside = path / _ASIDE
        self._aside.mkdir(parents=True, exist_ok=True)

    def look(self, maximum: int, failures: Mapping[str, int], left_out: Collection[str] = ()) -> Waiting:
        """Return what there is, and which files to deal with next.

        Args:
            maximum: how many of them.
            failures: by name, how often one was tried in vain: those that were not come first, so that none is in the
                way of others; among equals the oldest does.
            left_out: names of files whose time has not come.

        """

        def order(file: RecordFile) -> tuple[int, float, str]:
            return failures.get(file.path.name, 0), file.modified, file.path.name

        found = self._files(self._path)
        due = (file for file in found if file.path.name not in left_out)
        oldest = min((file.modified for file in found), default=None)
        return Waiting(heapq.nsmallest(maximum, due, key=order), len(found), oldest)

    def read(self, file: RecordFile) -> bytes:
        """Return what is in a file, so far as it may be a record."""
        with file.path.open("rb") as opened:
            return opened.read(SIZE_MAXIMUM + 1)

    def read_named(self, name: str) -> bytes:
        """Return what is in the file of a record, as `write` names it and the media server, by the channel.

        Raises:
            FileNotFoundError: when there is none.

        """
        with (self._path / f"{name}{SUFFIX}").open("rb") as opened:
            return opened.read(SIZE_MAXIMUM + 1)

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        """Write a record; it is there as a whole or not at all, whenever this process ends. One of the same name is
        replaced."""
        partial = self._path / f".{name}.partial"
        with partial.open("w", encoding="ascii") as opened:
            json.dump(document, opened)
            opened.flush()
            os.fsync(opened.fileno())
        partial.replace(self._path / f"{name}{SUFFIX}")

    def remove(self, file: RecordFile) -> None:
        """Remove a file that is dealt with."""
        file.path.unlink(missing_ok=True)

    def set_aside(self, file: RecordFile) -> None:
        """Keep a file that cannot be dealt with where it is not looked at again; the oldest of too many go."""
        file.path.replace(self._aside / file.path.name)
        kept = list(self._files(self._aside))
        for old in heapq.nsmallest(len(kept) - _ASIDE_MAXIMUM, kept, key=lambda entry: entry.modified):
            old.path.unlink(missing_ok=True)

    @staticmethod
    def _files(path: Path) -> Sequence[RecordFile]:
        files = []
        with os.scandir(path) as entries:
            for entry in entries:
                if not entry.name.endswith(".json") or entry.name.startswith("."):
                    continue
                try:
                    if not entry.is_file():
                        continue
                    status = entry.stat()
                except FileNotFoundError:
                    continue
                files.append(RecordFile(Path(entry.path), status.st_mtime, status.st_size))
        return files
