"""WAV files with one channel of 16 bits: how long they are, and what is left of them without the silence around."""

import wave
from pathlib import Path


def seconds(path: Path) -> float:
    """Return the length of a file."""
    with wave.open(str(path), "rb") as file:
        return file.getnframes() / file.getframerate()


def trim(path: Path) -> None:
    """Take the zeros off both ends of a file."""
    with wave.open(str(path), "rb") as file:
        parameters, frames = file.getparams(), file.readframes(file.getnframes())
    pairs = [frames[at : at + 2] for at in range(0, len(frames), 2)]
    loud = [number for number, pair in enumerate(pairs) if pair != b"\0\0"]
    kept = pairs[loud[0] : loud[-1] + 1] if loud else []
    with wave.open(str(path), "wb") as file:
        file.setparams(parameters)
        file.writeframes(b"".join(kept))
