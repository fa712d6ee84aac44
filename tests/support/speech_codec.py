"""G.711 µ-law and what can be told of samples: loudness, and a tone in them. Python 3.13 has no audioop any more."""

import math
from collections.abc import Sequence

_BIAS = 0x84


def _decoded(byte: int) -> int:
    byte = ~byte & 0xFF
    magnitude = (((byte & 0x0F) << 3) + _BIAS << ((byte & 0x70) >> 4)) - _BIAS
    return -magnitude if byte & 0x80 else magnitude


_DECODED = [_decoded(byte) for byte in range(256)]


def _encoded(sample: int) -> int:
    sign, magnitude = (0x80, -sample) if sample < 0 else (0, sample)
    magnitude = min(magnitude, 32635) + _BIAS
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | magnitude >> (exponent + 3) & 0x0F) & 0xFF


def decode(data: bytes) -> list[int]:
    """Return samples of 16 bits."""
    return [_DECODED[byte] for byte in data]


def encode(samples: Sequence[int]) -> bytes:
    """Return µ-law bytes."""
    return bytes(_encoded(sample) for sample in samples)


def tone(frequency: float, seconds: float, amplitude: int = 8000) -> list[int]:
    """Return a sine, 8 kHz."""
    return [round(amplitude * math.sin(2 * math.pi * frequency * n / 8000)) for n in range(int(seconds * 8000))]


def loudness(samples: Sequence[int]) -> float:
    """Return the root of the mean square."""
    return math.sqrt(sum(sample * sample for sample in samples) / max(1, len(samples)))


def share_of(frequency: float, samples: Sequence[int]) -> float:
    """Return how much of the samples' power a frequency has, 0 to 1 (Goertzel)."""
    total = sum(sample * sample for sample in samples)
    if not total:
        return 0.0
    factor = 2 * math.cos(2 * math.pi * frequency / 8000)
    last = before = 0.0
    for sample in samples:
        last, before = sample + factor * last - before, last
    power = last * last + before * before - factor * last * before
    return 2 * power / (total * len(samples))
