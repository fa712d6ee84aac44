"""How loud a recording is: a silent one is how a broken audio path shows."""

import math
import warnings

from lambdas.s3_mpeg.wav_format import Coding, WavFormat

with warnings.catch_warnings():
    # It looks for ffmpeg on the PATH as it is imported, which what is used of it here does not need, and newer
    # Pythons find fault with its regular expressions.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment

# pydub unpacks 24-bit samples one by one in Python, 15 seconds for an hour, and has no notion of float or of G.711.
_MEASURED_SAMPLE_BYTES = (2, 4)


class Levels:
    """The peak and the mean power of samples that come in pieces.

    Parameters:
        wav: the samples' format. Levels of others than 16 and 32-bit PCM are not measured.

    """

    def __init__(self, wav: WavFormat) -> None:
        self._format = wav
        self._measured = wav.coding is Coding.PCM and wav.sample_bytes in _MEASURED_SAMPLE_BYTES
        self._full_scale = 1 << (8 * wav.sample_bytes - 1)
        self._peak = 0
        self._squares = 0.0
        self._samples = 0

    def add(self, samples: bytes) -> None:
        """Take more samples, in whole blocks."""
        if not self._measured or not samples:
            return
        segment = AudioSegment(
            data=samples,
            sample_width=self._format.sample_bytes,
            frame_rate=self._format.sample_rate,
            channels=self._format.channels,
        )
        count = len(samples) // self._format.sample_bytes
        self._peak = max(self._peak, segment.max)
        self._squares += count * float(segment.rms) ** 2
        self._samples += count

    @property
    def peak(self) -> float | None:
        """The loudest sample in dBFS; None if not measured or if there is nothing but silence."""
        return self._decibels(self._peak)

    @property
    def rms(self) -> float | None:
        """The mean power in dBFS; None if not measured or if there is nothing but silence."""
        return self._decibels(math.sqrt(self._squares / self._samples)) if self._samples else None

    def _decibels(self, value: float) -> float | None:
        return round(20 * math.log10(value / self._full_scale), 1) if value else None
