"""Named pipes that carry a call's audio between FreeSWITCH and the app: one it records into, one it plays from.

To FreeSWITCH they are files of raw linear samples (`.raw`), so modules of its own serve for streaming: `uuid_record`
writes each frame the moment that it passes, `uuid_displace` reads one each time that it sends one.
"""

import asyncio
import fcntl
import os
import termios
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Final

from switch_app.call import FRAME_BYTES, FRAME_SECONDS, SILENCE_FRAME

_READ_BYTES: Final = 64 * 1024
_WATCH_SECONDS: Final = 5 * FRAME_SECONDS
_AHEAD_BYTES: Final = 2 * FRAME_BYTES
"""How much audio is in the pipe at most: what is in it cannot be taken back."""


class HeardPipe:
    """A pipe that FreeSWITCH records into.

    Args:
        path: where it is made.
        frame_bytes: of a frame of all its channels.
        take: given each frame. It may not wait.

    """

    def __init__(self, path: Path, frame_bytes: int, take: Callable[[bytes], None]) -> None:
        self.path = path
        self._frame_bytes, self._take = frame_bytes, take
        self._rest = b""
        os.mkfifo(path, 0o660)
        # Before FreeSWITCH opens it: it would wait for a reader.
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        asyncio.get_running_loop().add_reader(self._descriptor, self._read)

    def close(self) -> None:
        """Read no more. Whoever still writes gets an error."""
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
        self.path.unlink(missing_ok=True)

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        if not data:  # the writer has closed it
            asyncio.get_running_loop().remove_reader(self._descriptor)
            return
        size = self._frame_bytes
        if self._rest:
            data = self._rest + data
        if len(data) == size:
            self._rest = b""
            self._take(data)
            return
        whole = len(data) - len(data) % size
        self._rest = data[whole:]
        for begin in range(0, whole, size):
            self._take(data[begin : begin + size])


class SpokenPipe:
    """A pipe that FreeSWITCH plays from. It waits for what is not there, and the call's media with it: the pipe never
    runs dry for longer than a moment.

    Args:
        path: where it is made.
        speak: asked for the next frame, and whether it is due.

    """

    def __init__(self, path: Path, speak: Callable[[bool], bytes | None]) -> None:
        self.path, self._speak = path, speak
        os.mkfifo(path, 0o660)
        # For reading too: it cannot be opened otherwise before FreeSWITCH has.
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._level = array("i", [0])
        self._is_rhythmic = True
        os.write(self._descriptor, SILENCE_FRAME)
        self._watch = asyncio.get_running_loop().call_later(_WATCH_SECONDS, self._look)

    def beat(self) -> None:
        """Have the next frame there: 20 ms of the call have passed."""
        self._is_rhythmic = True
        self._fill(is_due=True)

    def wake(self) -> None:
        """Let audio that has come go at once where there is room."""
        self._fill(is_due=False)

    def close(self) -> None:
        """Let it end."""
        self._watch.cancel()
        os.close(self._descriptor)
        self.path.unlink(missing_ok=True)

    def _fill(self, *, is_due: bool) -> None:
        fcntl.ioctl(self._descriptor, termios.FIONREAD, self._level)
        level = self._level[0]
        while level < _AHEAD_BYTES:
            frame = self._speak(is_due and level < FRAME_BYTES)
            if frame is None:
                break
            os.write(self._descriptor, frame)
            level += FRAME_BYTES
        if is_due and level < FRAME_BYTES:
            os.write(self._descriptor, SILENCE_FRAME)

    def _look(self) -> None:
        """Go on without a rhythm when FreeSWITCH gives none: it may be waiting for a frame itself."""
        if not self._is_rhythmic:
            self._fill(is_due=True)
        self._is_rhythmic = False
        self._watch = asyncio.get_running_loop().call_later(_WATCH_SECONDS, self._look)
