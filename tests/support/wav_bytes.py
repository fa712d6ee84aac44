"""A WAV file's bytes."""

import io
import wave
from collections.abc import Sequence


def wav(samples: Sequence[int]) -> bytes:
    """Return a file of samples of 16 bits, one channel, 8 kHz."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        writer.writeframes(b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples))
    return file.getvalue()
