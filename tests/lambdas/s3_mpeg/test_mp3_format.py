"""Which MP3 becomes of which WAV."""

import pytest

from lambdas.s3_mpeg.mp3_format import Mp3Format, mp3_format
from lambdas.s3_mpeg.wav_format import Coding, WavFormat


@pytest.mark.parametrize(
    ("sample_rate", "channels", "bit_rate", "expected"),
    [
        (8_000, 1, 32_000, Mp3Format(8_000, 1, 32_000)),
        (8_000, 2, 32_000, Mp3Format(8_000, 2, 64_000)),
        (8_000, 2, 64_000, Mp3Format(8_000, 2, 64_000)),  # MPEG-2.5 has no more
        (8_000, 1, 33_000, Mp3Format(8_000, 1, 40_000)),
        (16_000, 1, 32_000, Mp3Format(16_000, 1, 48_000)),
        (16_000, 2, 32_000, Mp3Format(16_000, 2, 96_000)),
        (44_100, 1, 32_000, Mp3Format(44_100, 1, 64_000)),
        (48_000, 2, 32_000, Mp3Format(48_000, 2, 128_000)),
        (48_000, 2, 320_000, Mp3Format(48_000, 2, 320_000)),
        (48_000, 1, 8_000, Mp3Format(48_000, 1, 32_000)),  # MPEG-1 has no less
        (9_000, 1, 32_000, Mp3Format(11_025, 1, 32_000)),
        (1_000, 1, 32_000, Mp3Format(8_000, 1, 32_000)),
        (192_000, 1, 32_000, Mp3Format(48_000, 1, 64_000)),
    ],
)
def test_the_next_that_the_format_knows(sample_rate: int, channels: int, bit_rate: int, expected: Mp3Format) -> None:
    assert mp3_format(WavFormat(Coding.PCM, channels, sample_rate, 2), bit_rate) == expected


def test_the_duration_of_a_constant_rate() -> None:
    assert Mp3Format(8_000, 1, 32_000).seconds(14_400_000) == 3600
