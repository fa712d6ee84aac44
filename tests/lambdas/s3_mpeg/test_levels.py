"""How loud a recording is."""

import math

import pytest

from lambdas.s3_mpeg.levels import Levels
from lambdas.s3_mpeg.wav_format import Coding, WavFormat
from tests.lambdas.s3_mpeg.wav_files import PCM, encode, tone


@pytest.mark.parametrize("bits", [16, 32])
@pytest.mark.parametrize("cut", [400, 1000, 100_000])
def test_levels_of_pieces_are_those_of_the_whole(bits: int, cut: int) -> None:
    levels = Levels(WavFormat(Coding.PCM, 2, 8000, bits // 8))
    samples = encode(tone(1, frequencies=(400, 400), amplitude=0.25), PCM, bits)
    for start in range(0, len(samples), cut):
        levels.add(samples[start : start + cut])
    assert levels.peak == pytest.approx(20 * math.log10(0.25), abs=0.05)
    assert levels.rms == pytest.approx(20 * math.log10(0.25 / math.sqrt(2)), abs=0.1)


def test_silence_has_no_level() -> None:
    levels = Levels(WavFormat(Coding.PCM, 1, 8000, 2))
    levels.add(bytes(1000))
    assert (levels.peak, levels.rms) == (None, None)


def test_what_is_not_measured_has_no_level() -> None:
    levels = Levels(WavFormat(Coding.MU_LAW, 1, 8000, 1))
    levels.add(b"\x00" * 1000)
    assert (levels.peak, levels.rms) == (None, None)
