"""The function's environment."""

import pytest

from lambdas.s3_mpeg.settings import Settings


def test_defaults() -> None:
    assert Settings.from_environment({}) == Settings(".mp3", 32_000)


@pytest.mark.parametrize(("text", "rate"), [("24k", 24_000), ("24K", 24_000), ("48000", 48_000), ("", 32_000)])
def test_bit_rates(text: str, rate: int) -> None:
    assert Settings.from_environment({"MP3_BIT_RATE": text}).bit_rate == rate


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MP3_BIT_RATE", "fast"),
        ("MP3_BIT_RATE", "7k"),
        ("MP3_BIT_RATE", "321k"),
        ("MP3_BIT_RATE", "32"),
        ("CONVERT_TO_EXTENSION", ".WAV"),
        ("CONVERT_TO_EXTENSION", "mp3"),
        ("CONVERT_TO_EXTENSION", "./x"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        Settings.from_environment({name: value})
