"""Two channels of a recording taken apart, by the C code of `audioop`; `audioop-lts` has it from Python 3.13 on."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop


def left_and_right(samples: bytes) -> tuple[bytes, bytes]:
    """Return the channels of linear samples of 16 bits: what comes in is left, what goes out is right."""
    return audioop.tomono(samples, 2, 1, 0), audioop.tomono(samples, 2, 0, 1)
