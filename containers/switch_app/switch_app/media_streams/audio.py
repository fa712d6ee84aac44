"""Between a call's linear samples and the µ-law of a media stream, by the C code of `audioop`.

It left the standard library with Python 3.13; `audioop-lts` is the same code.
"""

import warnings
from typing import Final

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

FRAME_BYTES: Final = 160
"""20 ms of µ-law, 8 kHz."""

SILENCE: Final = b"\xff"
"""A sample of nothing."""


def to_mulaw(frame: bytes) -> bytes:
    """Return linear samples as µ-law."""
    return audioop.lin2ulaw(frame, 2)


def to_linear(audio: bytes) -> bytes:
    """Return µ-law as linear samples."""
    return audioop.ulaw2lin(audio, 2)
