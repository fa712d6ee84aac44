"""Where the samples of a WAV file are, and how long they play. It reads the beginning of a file, never all of it.

https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO, Final

PCM: Final = 1

_EXTENSIBLE: Final = 0xFFFE
_HEADER_MAXIMUM: Final = 1024 * 1024
_UNKNOWN: Final = 0xFFFFFFFF


class NotWav(Exception):
    """A file that is no WAV file with a format and samples."""


@dataclass(frozen=True, slots=True)
class WavLayout:
    """The samples of a file.

    Attributes:
        coding: the format tag; `PCM`, 7 for mu-law.
        channels: interleaved.
        rate: samples a second of each channel.
        block_bytes: bytes of one sample of every channel.
        offset: where the first sample is.
        length: bytes of samples, whole blocks.

    """

    coding: int
    channels: int
    rate: int
    block_bytes: int
    offset: int
    length: int

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return self.length / self.block_bytes / self.rate

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample of one channel."""
        return self.block_bytes // self.channels

    def header(self, length: int) -> bytes:
        """Return the beginning of a file of such samples, so many bytes of them."""
        bits = self.sample_bytes * 8
        rate = self.rate * self.block_bytes
        fields = struct.pack("<HHIIHH", self.coding, self.channels, self.rate, rate, self.block_bytes, bits)
        return (
            struct.pack("<4sI8sI", b"RIFF", 36 + length, b"WAVEfmt ", 16)
            + fields
            + struct.pack("<4sI", b"data", length)
        )


def read_layout(file: BinaryIO) -> WavLayout:
    """Find the samples of a file.

    A file whose writer did not come back to say how many samples there are has them up to its end.

    Raises:
        NotWav: when it is none.

    """
    size = file.seek(0, 2)
    file.seek(0)
    form, riff_bytes, kind = struct.unpack("<4sI4s", _exactly(file, 12))
    if form != b"RIFF" or kind != b"WAVE":
        raise NotWav(f"it begins with {form!r}")
    described: tuple[int, int, int, int] | None = None
    while file.tell() < _HEADER_MAXIMUM:
        name, length = struct.unpack("<4sI", _exactly(file, 8))
        if name == b"data":
            if described is None:
                raise NotWav("its samples come before their format")
            coding, channels, rate, block = described
            offset = file.tell()
            available = size - offset
            is_closed = riff_bytes + 8 == size
            if length > available or (length == 0 and not is_closed) or length == _UNKNOWN:
                length = available
            return WavLayout(coding, channels, rate, block, offset, length - length % block)
        if name == b"fmt ":
            described = _format(_exactly(file, length) if length <= 64 else b"")
            file.seek(length % 2, 1)
        else:
            file.seek(length + length % 2, 1)
    raise NotWav("there are no samples near its beginning")


def _format(chunk: bytes) -> tuple[int, int, int, int]:
    if len(chunk) < 16:
        raise NotWav("its format is cut off")
    coding, channels, rate, _, block = struct.unpack_from("<HHIIH", chunk)
    if coding == _EXTENSIBLE and len(chunk) >= 26:
        (coding,) = struct.unpack_from("<H", chunk, 24)
    if not channels or not rate or not block or block % channels:
        raise NotWav(f"{channels} channels at {rate} samples a second, {block} bytes each")
    return coding, channels, rate, block


def _exactly(file: BinaryIO, count: int) -> bytes:
    content = file.read(count)
    if len(content) < count:
        raise NotWav("it ends before its samples")
    return content
