"""What a `fmt ` chunk says."""

import struct

import pytest

from lambdas.s3_mpeg.errors import Cause, ConversionError
from lambdas.s3_mpeg.wav_format import Coding, WavFormat, parse_format
from tests.lambdas.s3_mpeg.wav_files import A_LAW, EXTENSIBLE, FLOAT, MU_LAW, PCM, fmt


def content(tag: int, bits: int, **options: int | bool) -> bytes:
    return fmt(tag, bits, **options)[8:]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("chunk", "expected", "name"),
    [
        (content(PCM, 8), WavFormat(Coding.PCM, 1, 8000, 1), "u8"),
        (content(PCM, 16, channels=2, rate=44100), WavFormat(Coding.PCM, 2, 44100, 2), "s16le"),
        (content(PCM, 24, extensible=True), WavFormat(Coding.PCM, 1, 8000, 3), "s24le"),
        (content(PCM, 32), WavFormat(Coding.PCM, 1, 8000, 4), "s32le"),
        (content(FLOAT, 32, channels=2), WavFormat(Coding.FLOAT, 2, 8000, 4), "f32le"),
        (content(FLOAT, 64), WavFormat(Coding.FLOAT, 1, 8000, 8), "f64le"),
        (content(A_LAW, 8), WavFormat(Coding.A_LAW, 1, 8000, 1), "alaw"),
        (content(MU_LAW, 8, extensible=True), WavFormat(Coding.MU_LAW, 1, 8000, 1), "mulaw"),
        # 12 bits are stored in 16, 20 in 24, as the alignment says
        (struct.pack("<HHIIHH", PCM, 1, 8000, 16000, 2, 12), WavFormat(Coding.PCM, 1, 8000, 2), "s16le"),
        (struct.pack("<HHIIHH", PCM, 2, 8000, 48000, 6, 20), WavFormat(Coding.PCM, 2, 8000, 3), "s24le"),
        # an alignment that makes no sense
        (struct.pack("<HHIIHH", PCM, 2, 8000, 0, 0, 16), WavFormat(Coding.PCM, 2, 8000, 2), "s16le"),
    ],
)
def test_a_format_that_is_converted(chunk: bytes, expected: WavFormat, name: str) -> None:
    assert parse_format(chunk) == expected
    assert expected.name == name


@pytest.mark.parametrize(
    ("chunk", "cause", "message"),
    [
        (b"\x01\x00", Cause.NOT_WAV, "2 bytes"),
        (content(PCM, 16, channels=0), Cause.NOT_WAV, "0 channels"),
        (content(PCM, 16, rate=0), Cause.NOT_WAV, "0 samples per second"),
        (content(EXTENSIBLE, 16), Cause.NOT_WAV, "extensible"),
        (content(PCM, 16, channels=3), Cause.UNSUPPORTED, "3 channels"),
        (content(PCM, 16, rate=999), Cause.UNSUPPORTED, "999 samples per second"),
        (content(PCM, 40), Cause.UNSUPPORTED, "40 bits"),
        (content(0x11, 4), Cause.UNSUPPORTED, "0x0011"),
        (content(PCM, 16, extensible=True)[:-1] + b"x", Cause.UNSUPPORTED, "sub-format"),
    ],
)
def test_a_format_that_is_not_converted(chunk: bytes, cause: Cause, message: str) -> None:
    with pytest.raises(ConversionError, match=message) as failure:
        parse_format(chunk)
    assert failure.value.cause is cause


def test_silence_is_made_of_whole_blocks() -> None:
    assert WavFormat(Coding.PCM, 2, 8000, 1).silence(3) == b"\x80" * 6
    assert WavFormat(Coding.MU_LAW, 1, 8000, 1).silence(2) == b"\xff\xff"


def test_seconds_count_blocks() -> None:
    assert WavFormat(Coding.PCM, 2, 8000, 2).seconds(64_000) == 2


@pytest.mark.parametrize("wav", [WavFormat(Coding.PCM, 2, 44_100, 3), WavFormat(Coding.MU_LAW, 1, 8_000, 1)])
def test_the_header_that_the_encoder_gets_says_the_same(wav: WavFormat) -> None:
    header = wav.header()
    assert parse_format(header[20:38]) == wav
    assert header[:16] == b"RIFF\xff\xff\xff\xffWAVEfmt "
    assert header[38:] == b"data\xff\xff\xff\xff"
