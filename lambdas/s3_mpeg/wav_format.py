"""What a WAV file's `fmt ` chunk says about its samples. Pure; knows no I/O.

Microsoft's WAVEFORMATEX and WAVEFORMATEXTENSIBLE:
https://learn.microsoft.com/windows/win32/api/mmreg/ns-mmreg-waveformatextensible
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

from lambdas.s3_mpeg.errors import Cause, ConversionError

FMT_BYTES = 40
"""As much of a `fmt ` chunk as is ever looked at: the size of WAVEFORMATEXTENSIBLE."""

_EXTENSIBLE = 0xFFFE
_OPEN = 0xFFFFFFFF
# A sub-format GUID is a format tag followed by these bytes (KSDATAFORMAT_SUBTYPE_WAVEFORMATEX).
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_CHANNELS = (1, 2)
_SAMPLE_RATES = range(1_000, 384_001)


class Coding(IntEnum):
    """How a sample is coded; the numbers are the format tags."""

    PCM = 1
    FLOAT = 3
    A_LAW = 6
    MU_LAW = 7


# coding, bytes a sample -> what the log calls it, as ffmpeg does, and the byte that silence is made of
_ENCODINGS = {
    (Coding.PCM, 1): ("u8", 0x80),
    (Coding.PCM, 2): ("s16le", 0x00),
    (Coding.PCM, 3): ("s24le", 0x00),
    (Coding.PCM, 4): ("s32le", 0x00),
    (Coding.FLOAT, 4): ("f32le", 0x00),
    (Coding.FLOAT, 8): ("f64le", 0x00),
    (Coding.A_LAW, 1): ("alaw", 0xD5),
    (Coding.MU_LAW, 1): ("mulaw", 0xFF),
}


@dataclass(frozen=True, slots=True)
class WavFormat:
    """The samples' format.

    Attributes:
        coding: how a sample is coded.
        channels: 1 or 2, interleaved.
        sample_rate: samples per second of one channel.
        sample_bytes: bytes that one sample takes.

    """

    coding: Coding
    channels: int
    sample_rate: int
    sample_bytes: int

    @property
    def block_bytes(self) -> int:
        """Bytes of one sample of every channel: samples are cut only between blocks."""
        return self.channels * self.sample_bytes

    @property
    def name(self) -> str:
        """What ffmpeg calls such samples: `s16le`, `mulaw`."""
        return _ENCODINGS[self.coding, self.sample_bytes][0]

    def header(self) -> bytes:
        """Return the beginning of a WAV file of such samples that does not say how many there will be."""
        rate = self.sample_rate * self.block_bytes
        fields = self.coding, self.channels, self.sample_rate, rate, self.block_bytes, self.sample_bytes * 8, 0
        fmt = struct.pack("<HHIIHHH", *fields)
        return struct.pack("<4sI8sI", b"RIFF", _OPEN, b"WAVEfmt ", len(fmt)) + fmt + struct.pack("<4sI", b"data", _OPEN)

    def silence(self, blocks: int) -> bytes:
        """Return so many blocks of silence."""
        return bytes([_ENCODINGS[self.coding, self.sample_bytes][1]]) * (blocks * self.block_bytes)

    def seconds(self, samples: int) -> float:
        """Return how long so many bytes of samples play."""
        return samples / self.block_bytes / self.sample_rate


def parse_format(chunk: bytes) -> WavFormat:
    """Parse a `fmt ` chunk; bytes beyond FMT_BYTES do not matter.

    A sample takes as many bytes as the block alignment says, because 12 bits are stored in 16 and 20 in 24, the
    significant ones on top; only when the alignment makes no sense do the bits per sample decide.

    Raises:
        ConversionError: NOT_WAV, the chunk contradicts itself; UNSUPPORTED, its kind is not converted.

    """
    if len(chunk) < 16:
        raise ConversionError(Cause.NOT_WAV, f"a fmt chunk of {len(chunk)} bytes, less than the 16 it needs")
    tag, channels, sample_rate, _, alignment, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == _EXTENSIBLE:
        tag = _sub_format(chunk)
    if channels == 0 or sample_rate == 0:
        raise ConversionError(Cause.NOT_WAV, f"{channels} channels at {sample_rate} samples per second")
    if channels not in _CHANNELS:
        raise ConversionError(Cause.UNSUPPORTED, f"{channels} channels; an MP3 holds one or two")
    if sample_rate not in _SAMPLE_RATES:
        raise ConversionError(Cause.UNSUPPORTED, f"{sample_rate} samples per second")
    if tag not in iter(Coding):
        raise ConversionError(Cause.UNSUPPORTED, f"WAVE format 0x{tag:04x}; PCM, float, A-law and mu-law are")
    needed = -(-bits // 8)
    sample_bytes = alignment // channels if alignment >= needed * channels else needed
    coding = Coding(tag)
    if (coding, sample_bytes) not in _ENCODINGS:
        raise ConversionError(Cause.UNSUPPORTED, f"{coding.name} samples of {bits} bits in {alignment} bytes")
    return WavFormat(coding, channels, sample_rate, sample_bytes)


def _sub_format(chunk: bytes) -> int:
    if len(chunk) < FMT_BYTES:
        raise ConversionError(Cause.NOT_WAV, f"an extensible fmt chunk of {len(chunk)} bytes")
    guid = chunk[24:40]
    if guid[2:] != _GUID_TAIL:
        raise ConversionError(Cause.UNSUPPORTED, f"WAVE sub-format {guid.hex()}")
    return int.from_bytes(guid[:2], "little")
