"""Makes WAV files of every kind, byte by byte: what the tests read was not written by what they test."""

import math
import struct
from array import array
from collections.abc import Sequence

PCM, FLOAT, A_LAW, MU_LAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_SUB_FORMAT_TAIL = bytes.fromhex("000000001000800000aa00389b71")


def chunk(name: bytes, content: bytes) -> bytes:
    """Return a RIFF chunk, padded to an even size."""
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def fmt(tag: int, bits: int, *, rate: int = 8000, channels: int = 1, extensible: bool = False) -> bytes:
    """Return a `fmt ` chunk."""
    block = channels * bits // 8
    head = struct.pack("<HHIIHH", EXTENSIBLE if extensible else tag, channels, rate, rate * block, block, bits)
    if extensible:
        tail = struct.pack("<HHIH", 22, bits, (1 << channels) - 1, tag) + _SUB_FORMAT_TAIL
        return chunk(b"fmt ", head + tail)
    return chunk(b"fmt ", head if tag == PCM else head + b"\0\0")


def riff(*chunks: bytes, form: bytes = b"RIFF", size: int | None = None) -> bytes:
    """Return a file of these chunks; `size` is what its header says instead of the truth."""
    body = b"WAVE" + b"".join(chunks)
    return form + struct.pack("<I", len(body) if size is None else size) + body


def tone(
    seconds: float, *, rate: int = 8000, frequencies: Sequence[int] = (440,), amplitude: float = 0.5
) -> list[float]:
    """Return a sine a channel, interleaved, between -1 and 1."""
    steps = [2 * math.pi * frequency / rate for frequency in frequencies]
    return [amplitude * math.sin(step * i) for i in range(round(seconds * rate)) for step in steps]


def encode(samples: Sequence[float], tag: int, bits: int) -> bytes:
    """Return samples between -1 and 1 in one of the codings that telephony uses."""
    if tag == MU_LAW:
        return bytes(_mu_law(round(value * 32767)) for value in samples)
    if tag == A_LAW:
        return bytes(_a_law(round(value * 32767)) for value in samples)
    if tag == FLOAT:
        return struct.pack(f"<{len(samples)}{'f' if bits == 32 else 'd'}", *samples)
    scaled = [round(value * ((1 << (bits - 1)) - 1)) for value in samples]
    if bits == 8:
        return bytes(value + 128 for value in scaled)
    return b"".join(value.to_bytes(bits // 8, "little", signed=True) for value in scaled)


def wav(
    tag: int = PCM,
    bits: int = 16,
    *,
    seconds: float = 1.0,
    rate: int = 8000,
    frequencies: Sequence[int] = (440,),
    extensible: bool = False,
) -> bytes:
    """Return a plain file with a tone a channel."""
    samples = encode(tone(seconds, rate=rate, frequencies=frequencies), tag, bits)
    head = fmt(tag, bits, rate=rate, channels=len(frequencies), extensible=extensible)
    return riff(head, chunk(b"data", samples))


def long_wav(seconds: int) -> bytes:
    """Return a long file quickly: 8 kHz, mono, 16 bits, the same second again and again."""
    second = array("h", (round(value * 32767) for value in tone(1))).tobytes()
    return riff(fmt(PCM, 16), chunk(b"data", second * seconds))


def _mu_law(sample: int) -> int:
    """G.711, table 2a."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32635) + 132
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | (magnitude >> (exponent + 3)) & 0x0F) & 0xFF


def _a_law(sample: int) -> int:
    """G.711, table 1a."""
    sign = 0 if sample < 0 else 0x80
    magnitude = min(abs(sample), 32767) >> 4
    exponent = max(magnitude.bit_length() - 4, 0)
    mantissa = (magnitude >> (exponent - 1 if exponent else 0)) & 0x0F
    # The magnitude has 11 bits: segments 1 to 7 have their leading one at bits 5 to 11, segment 0 has none.
    return (sign | exponent << 4 | mantissa) ^ 0x55
