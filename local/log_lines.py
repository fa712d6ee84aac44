"""Shows what processes log, each line with the name of its process before it, as it is written."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

_LOOK_SECONDS = 0.2
_STYLES = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta", "bright_green")


class LogLines:
    """Follows the logs of a directory, as a context.

    Args:
        directory: each `<name>.log` in it is followed, also one that is made later.
        show: gets a name, a style for it, and a line.
        from_start: whether what is there already is shown too.

    """

    def __init__(self, directory: Path, show: Callable[[str, str, str], None], *, from_start: bool = True) -> None:
        self._directory, self._show = directory, show
        self._read: dict[Path, int] = {}
        self._rest: dict[Path, bytes] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="log-lines", daemon=True)
        if not from_start:
            self._read = {path: path.stat().st_size for path in directory.glob("*.log")}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(2)

    def _follow(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Show the whole lines that were written since the last look."""
        for path in sorted(self._directory.glob("*.log")):
            try:
                with path.open("rb") as log:
                    log.seek(self._read.get(path, 0))
                    content = log.read()
            except OSError:
                continue  # it is being removed
            self._read[path] = self._read.get(path, 0) + len(content)
            *lines, self._rest[path] = (self._rest.get(path, b"") + content).split(b"\n")
            style = _STYLES[sum(path.stem.encode()) % len(_STYLES)]
            for line in lines:
                self._show(path.stem, style, line.decode(errors="replace").rstrip())
