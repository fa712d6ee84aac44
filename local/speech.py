"""A recording that sounds like somebody talking, made on the spot."""

import math
import random
import struct
import wave
from collections.abc import Iterator
from pathlib import Path

SAMPLE_RATE = 8_000
_VOWELS = ((730, 1090), (270, 2290), (300, 870), (530, 1840), (570, 840))
"""First and second formants in Hz: Peterson and Barney, "Control methods used in a study of the vowels", 1952."""


def write_speech(path: Path, seconds: int, seed: int = 1) -> None:
    """Write `seconds` of syllables and pauses: 8 kHz, mono, 16 bits."""
    chance = random.Random(seed)  # noqa: S311 - no secret hangs on it
    left = seconds * SAMPLE_RATE
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
        while left:
            syllable = list(_syllable(chance))[:left]
            out.writeframes(struct.pack(f"<{len(syllable)}h", *syllable))
            left -= len(syllable)


def _syllable(chance: random.Random) -> Iterator[int]:
    """Yield a vowel, glottal pulses through two resonances, and the pause after it."""
    pitch = chance.uniform(90, 140)
    length = int(chance.uniform(0.12, 0.3) * SAMPLE_RATE)
    resonators = [_Resonator(formant, 80) for formant in chance.choice(_VOWELS)]
    period = int(SAMPLE_RATE / pitch)
    for index in range(length):
        sample = 1.0 if index % period == 0 else 0.0
        for resonator in resonators:
            sample = resonator.next(sample)
        loudness = math.sin(math.pi * index / length)
        yield max(-32_768, min(32_767, round(sample * loudness * 9_000)))
    for _ in range(int(chance.choice((0.03, 0.05, 0.4)) * SAMPLE_RATE)):
        yield chance.randint(-20, 20)


class _Resonator:
    """A two-pole resonance; https://ccrma.stanford.edu/~jos/filters/Two_Pole.html."""

    def __init__(self, frequency: float, bandwidth: float) -> None:
        radius = math.exp(-math.pi * bandwidth / SAMPLE_RATE)
        self._a1 = 2 * radius * math.cos(2 * math.pi * frequency / SAMPLE_RATE)
        self._a2 = -radius * radius
        self._gain = 1 - radius
        self._y1 = self._y2 = 0.0

    def next(self, sample: float) -> float:
        value = self._gain * sample * 4 + self._a1 * self._y1 + self._a2 * self._y2
        self._y2, self._y1 = self._y1, value
        return value
