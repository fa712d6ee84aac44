"""Takes the samples out of a WAV file that arrives in pieces of any size. Pure; knows no I/O.

RIFF and WAVE: https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html
RF64 and its ds64 chunk: EBU Tech 3306, https://tech.ebu.ch/docs/tech/tech3306v1_1.pdf
"""

import struct
from enum import Enum, auto

from lambdas.s3_mpeg.errors import Cause, ConversionError
from lambdas.s3_mpeg.wav_format import FMT_BYTES, WavFormat, parse_format

_RIFF_HEADER_BYTES = 12
_CHUNK_HEADER_BYTES = 8
_DS64_BYTES = 28
# What writers announce that do not know how much will come and cannot seek back: most of them the largest number
# there is; SoX and espeak, and arecord, and others, one around the largest with a sign.
_ALL_ONES = 0xFFFFFFFF
_OPEN_SIZES = (0x7FFFF000, 0x7FFFFFFF, 0x80000000)


class _State(Enum):
    RIFF = auto()
    CHUNKS = auto()
    SAMPLES = auto()
    REST = auto()


class WavStream:
    """A WAV file, fed piece by piece.

    It holds at most a chunk header, a `fmt ` or `ds64` chunk and part of a block of samples, whatever the file does.

    Parameters:
        length: bytes of the whole file: it shows at the header that samples are missing at the end.

    """

    def __init__(self, length: int) -> None:
        self.samples = 0
        """Bytes of samples returned so far."""
        self._format: WavFormat | None = None
        self._length = length
        self._state = _State.RIFF
        self._pending = bytearray()
        self._position = 0  # of `_pending` in the file
        self._skip = 0
        self._riff_end: int | None = None
        self._long_data: int | None = None
        self._left: int | None = None  # bytes of samples still to come; None: as many as there are

    @property
    def format(self) -> WavFormat:
        """The samples' format; there is one as soon as there are samples, and after `finish`."""
        if self._format is None:
            raise ConversionError(Cause.NOT_WAV, "no fmt chunk before the samples")
        return self._format

    @property
    def complete(self) -> bool:
        """Whether all samples have come; what follows them does not matter."""
        return self._state is _State.REST

    def feed(self, piece: bytes) -> bytes:
        """Take the file's next bytes; return the samples among them, in whole blocks.

        Raises:
            ConversionError: NOT_WAV, UNSUPPORTED or TRUNCATED, as soon as that is certain.

        """
        if self._state is _State.REST:
            return b""
        self._pending += piece
        while self._state in (_State.RIFF, _State.CHUNKS) and self._step():
            pass
        return self._take_samples() if self._state is _State.SAMPLES else b""

    def finish(self) -> None:
        """Say that the file ends here.

        Raises:
            ConversionError: EMPTY, NOT_WAV or TRUNCATED, if it must not.

        """
        end = self._position + len(self._pending)
        if self._state is _State.RIFF:
            if end == 0:
                raise ConversionError(Cause.EMPTY, "the object has no bytes")
            raise ConversionError(Cause.NOT_WAV, f"{end} bytes are no WAV file")
        if self._state is _State.CHUNKS:
            raise ConversionError(Cause.TRUNCATED, f"the file ends at byte {end} without samples (no data chunk)")
        if self._state is _State.SAMPLES and self._left:
            raise self._truncated(end, end + self._left - len(self._pending))

    def _step(self) -> bool:
        """Do one step through the chunks; return whether another may be possible."""
        if self._state is _State.RIFF:
            if len(self._pending) < _RIFF_HEADER_BYTES:
                return False
            self._open(self._consume(_RIFF_HEADER_BYTES))
            return True
        if self._skip:
            self._skip -= len(self._consume(min(self._skip, len(self._pending))))
            return not self._skip
        if len(self._pending) < _CHUNK_HEADER_BYTES:
            return False
        name, size = struct.unpack_from("<4sI", self._pending)
        if name == b"data":
            self._consume(_CHUNK_HEADER_BYTES)
            self._open_data(size)
            return False
        wanted = min({b"fmt ": FMT_BYTES, b"ds64": _DS64_BYTES}.get(name, 0), size)
        if len(self._pending) < _CHUNK_HEADER_BYTES + wanted:
            return False
        self._consume(_CHUNK_HEADER_BYTES)
        content = self._consume(wanted)
        if name == b"fmt ":
            self._format = parse_format(content)
        elif name == b"ds64":
            self._open_long(content)
        self._skip = size - wanted + size % 2  # chunks begin at even places
        return True

    def _open(self, header: bytes) -> None:
        form, size, kind = struct.unpack("<4sI4s", header)
        if form not in (b"RIFF", b"RF64", b"BW64") or kind != b"WAVE":
            raise ConversionError(Cause.NOT_WAV, f"the file begins with {header!r}, not with RIFF....WAVE")
        self._riff_end = None if size in (0, _ALL_ONES) else size + _CHUNK_HEADER_BYTES
        self._state = _State.CHUNKS

    def _open_long(self, ds64: bytes) -> None:
        if len(ds64) < _DS64_BYTES:
            raise ConversionError(Cause.NOT_WAV, f"a ds64 chunk of {len(ds64)} bytes, less than {_DS64_BYTES}")
        riff_bytes, data_bytes = struct.unpack_from("<QQ", ds64)
        self._riff_end = riff_bytes + _CHUNK_HEADER_BYTES if riff_bytes else None
        self._long_data = data_bytes or None

    def _open_data(self, size: int) -> None:
        self._left = self._data_bytes(size) if self.format else None
        if self._left is not None and self._position + self._left > self._length:
            raise self._truncated(self._length, self._position + self._left)
        self._state = _State.SAMPLES

    def _data_bytes(self, size: int) -> int | None:
        """Return how many bytes of samples follow, None for as many as there are.

        A size that no file of this length can hold is a sign of missing samples, unless the writer has left the RIFF
        size open: then it has not come back for this one either. Zero is taken at its word only when the RIFF size
        says that the file goes on after the empty data chunk.
        """
        if size == _ALL_ONES:
            return self._long_data
        if size == 0:
            return 0 if self._riff_end is not None and self._riff_end > self._position else None
        too_long = self._position + size > self._length
        return None if too_long and (size in _OPEN_SIZES or self._riff_end is None) else size

    def _take_samples(self) -> bytes:
        block = self.format.block_bytes
        available = len(self._pending) if self._left is None else min(len(self._pending), self._left)
        samples = self._consume(available - available % block)
        self.samples += len(samples)
        if self._left is not None:
            self._left -= len(samples)
            # What is left of less than a block can be played by nobody.
            if self._left == 0 or (self._left < block and len(self._pending) >= self._left):
                self._state = _State.REST
                self._pending.clear()
        return samples

    def _consume(self, count: int) -> bytes:
        # Cutting off a bytearray's beginning moves nothing, however small the pieces are that it is cut into.
        taken = bytes(memoryview(self._pending)[:count])
        del self._pending[:count]
        self._position += count
        return taken

    @staticmethod
    def _truncated(length: int, announced: int) -> ConversionError:
        detail = f"the file has {length} bytes and its header announces {announced}"
        return ConversionError(Cause.TRUNCATED, detail)
