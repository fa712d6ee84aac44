"""What a caller is still to hear of a media stream, and the marks in it; no clock and no sockets here."""

from collections import deque
from collections.abc import Sequence
from typing import Final

from switch_app.media_streams.audio import FRAME_BYTES, SILENCE

MARKS_MAXIMUM: Final = 10_000
"""Marks that wait at most."""


class Playback:
    """A bounded buffer of µ-law, taken frame by frame in the rhythm of the call.

    Args:
        capacity: bytes of audio that wait at most; what comes beyond is not taken.

    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._buffer = bytearray()
        self._taken = self._heard = 0  # bytes since the beginning
        self._marks: deque[tuple[int, str]] = deque()

    def __len__(self) -> int:
        """Return the bytes that wait."""
        return len(self._buffer)

    def add(self, audio: bytes) -> int:
        """Append audio; return how many bytes of it there was no room for."""
        room = self._capacity - len(self._buffer)
        self._buffer += audio[:room] if room < len(audio) else audio
        return max(0, len(audio) - room)

    def mark(self, name: str) -> bool:
        """Append a mark; return whether there was room for it."""
        if len(self._marks) >= MARKS_MAXIMUM:
            return False
        self._marks.append((self._taken + len(self._buffer), name))
        return True

    def clear(self) -> Sequence[str]:
        """Forget the audio that waits; return the marks that waited, in their order: they are due now."""
        self._buffer.clear()
        marks = [name for _, name in self._marks]
        self._marks.clear()
        return marks

    def due_marks(self) -> Sequence[str]:
        """Return the marks whose audio was heard, each once, in their order."""
        due = []
        while self._marks and self._marks[0][0] <= self._heard:
            due.append(self._marks.popleft()[1])
        return due

    def take(self, *, is_due: bool) -> bytes | None:
        """Return the next frame, and count the ones before as heard; None when there is none.

        Args:
            is_due: whether the caller would hear nothing otherwise: the rest of the audio, which fills no frame, is
                made one then.

        """
        self._heard = self._taken
        buffer = self._buffer
        if len(buffer) < FRAME_BYTES and not (is_due and buffer):
            return None
        frame = bytes(buffer[:FRAME_BYTES])
        del buffer[:FRAME_BYTES]
        self._taken += len(frame)
        return frame if len(frame) == FRAME_BYTES else frame.ljust(FRAME_BYTES, SILENCE)
