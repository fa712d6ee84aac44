"""Follows a file that a process appends lines to, within bounds, also when it is cut short or made anew."""

import os
from pathlib import Path
from typing import Final

_HISTORY: Final = 256 * 1024
_READ_MAXIMUM: Final = 1024 * 1024
_LINE_MAXIMUM: Final = 64 * 1024
_BLOCK: Final = 1024 * 1024


class LogTail:
    """A file's lines.

    Args:
        path: the file; it need not be there yet.
        history: how many bytes of what it holds already are read at first.

    """

    def __init__(self, path: Path, history: int = _HISTORY) -> None:
        self._path, self._history = path, history
        self._inode: int | None = None
        self._is_gone = False
        self._offset = 0
        self._line = 0
        self._rest = b""
        self._skips = False
        """Whether what comes until the next line break is left out: it began before what is read, or is too long."""

    def read(self) -> list[tuple[int, str]]:
        """Return the lines that have been added, whole ones only, each with its number; at most 1 MiB of them.

        Raises:
            OSError: when the file is there and cannot be read.

        """
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            # The next file of this name may have the same number.
            self._is_gone = self._inode is not None
            return []
        with file:
            status = os.fstat(file.fileno())
            if self._inode != status.st_ino or status.st_size < self._offset or self._is_gone:
                self._begin(status, is_known=self._inode is not None)
                self._skip_to(file.fileno(), self._offset)
            file.seek(self._offset)
            data = file.read(_READ_MAXIMUM)
        self._offset += len(data)
        return self._split(data)

    def _begin(self, status: os.stat_result, *, is_known: bool) -> None:
        # A file that was made anew is read from its beginning: all of it is news.
        self._inode, self._is_gone = status.st_ino, False
        self._offset = 0 if is_known else max(status.st_size - self._history, 0)
        self._line, self._rest, self._skips = 0, b"", self._offset > 0

    def _skip_to(self, descriptor: int, offset: int) -> None:
        """Count the lines before an offset."""
        position = 0
        while position < offset:
            block = os.pread(descriptor, min(_BLOCK, offset - position), position)
            if not block:
                break
            self._line += block.count(b"\n")
            position += len(block)

    def _split(self, data: bytes) -> list[tuple[int, str]]:
        *whole, rest = (self._rest + data).split(b"\n")
        lines = []
        for line in whole:
            self._line += 1
            if not self._skips and len(line) <= _LINE_MAXIMUM:
                lines.append((self._line, line.decode(errors="replace").rstrip("\r")))
            self._skips = False
        if len(rest) > _LINE_MAXIMUM:
            rest, self._skips = b"", True
        self._rest = rest
        return lines
