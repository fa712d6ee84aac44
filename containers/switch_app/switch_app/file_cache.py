"""Files that can be made again, in a directory that several switches may share."""

import asyncio
import hashlib
import logging
import os
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

logger = logging.getLogger(__name__)

_CLEANING_SECONDS: Final = 600.0
_IN_USE_SECONDS: Final = 3600.0
# Whatever else is in the directory is somebody else's.
_KEPT: Final = re.compile(r"[0-9a-f]{64}\.[a-z0-9]{1,8}")
_PARTIAL: Final = re.compile(r"prompt-.*\.partial")


def key_of(*parts: str) -> str:
    """Return what the name of a file that is made of some texts begins with; a dot and what it ends with follow."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", errors="surrogatepass")).hexdigest()


class FileCache:
    """A directory of files, bounded in size. The methods but `start` and `close` are blocking calls.

    Names are of `key_of`, with an ending; files of other names are not touched.

    A file is there as a whole or not at all. One that was used within the last hour is never removed: a call may be
    about to play it.

    Args:
        directory: it is made when there is none.
        bytes_maximum: of all files; when there are more, those that were not used for the longest time go.
        clock: seconds since the epoch.

    """

    def __init__(self, directory: Path, bytes_maximum: int, clock: Callable[[], float] = time.time) -> None:
        self._directory, self._bytes_maximum, self._clock = directory, bytes_maximum, clock
        self._directory.mkdir(parents=True, exist_ok=True)
        self._cleaning: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to clean up every now and then."""
        self._cleaning = asyncio.create_task(self._clean_up())

    async def close(self) -> None:
        """End."""
        if self._cleaning is not None:
            self._cleaning.cancel()
            await asyncio.gather(self._cleaning, return_exceptions=True)

    def find(self, name: str) -> Path | None:
        """Return a file that is there, noted as used; None when it is not there."""
        path = self._directory / name
        try:
            now = self._clock()
            os.utime(path, (now, now))
        except FileNotFoundError:
            return None
        return path

    def new_partial(self) -> Path:
        """Return an empty file for what is to become one of the cache's; `keep` or `discard` takes it."""
        handle, name = tempfile.mkstemp(prefix="prompt-", suffix=".partial", dir=self._directory)
        os.fchmod(handle, 0o644)  # the media server reads it, as another user
        os.close(handle)
        return Path(name)

    def keep(self, partial: Path, name: str) -> Path:
        """Make a finished file one of the cache's; one of the same name is replaced."""
        path = self._directory / name
        partial.replace(path)
        return path

    def discard(self, partial: Path) -> None:
        """Remove a file that is not to be kept, if it is still there."""
        partial.unlink(missing_ok=True)

    def clean(self) -> int:
        """Remove what is too much, and what was begun long ago and never finished; return how many bytes are left."""
        now, total, files = self._clock(), 0, []
        with os.scandir(self._directory) as entries:
            for entry in entries:
                is_partial = _PARTIAL.fullmatch(entry.name) is not None
                if not is_partial and _KEPT.fullmatch(entry.name) is None:
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # another switch was faster
                age = now - status.st_mtime
                if is_partial and age > _IN_USE_SECONDS:
                    Path(entry.path).unlink(missing_ok=True)
                    continue
                total += status.st_size
                if age > _IN_USE_SECONDS:
                    files.append((status.st_mtime, status.st_size, entry.path))
        for _, size, path in sorted(files):
            if total <= self._bytes_maximum:
                break
            Path(path).unlink(missing_ok=True)
            total -= size
        return total

    async def _clean_up(self) -> None:
        while True:
            try:
                left = await asyncio.to_thread(self.clean)
                if left > self._bytes_maximum:
                    logger.warning("a cache is larger than it may be", extra={"bytes": left})
            except OSError:
                logger.exception("a cache cannot be cleaned up")
            await asyncio.sleep(_CLEANING_SECONDS)
