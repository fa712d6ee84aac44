"""WAV files for tests."""

import array
import math
import wave
from pathlib import Path

RATE = 8000


def tone(seconds: float, amplitude: int = 8000) -> "array.array[int]":
    """Return samples of 400 Hz."""
    return array.array("h", (int(amplitude * math.sin(math.pi * number / 10)) for number in range(int(seconds * RATE))))


def silence(seconds: float, noise: int = 20) -> "array.array[int]":
    """Return samples of a quiet line."""
    return array.array("h", (noise if number % 7 else -noise for number in range(int(seconds * RATE))))


def write_wav(path: Path, samples: "array.array[int]", channels: int = 1) -> Path:
    """Write a file of 16-bit samples."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return path
