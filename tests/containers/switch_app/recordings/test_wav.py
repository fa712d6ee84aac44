"""Where the samples of a WAV file are found, and the silence around them."""

import io
import struct
import tracemalloc
import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch_app.recordings.trim import trim_silence
from switch_app.recordings.wav import NotWav, read_layout
from tests.containers.switch_app.recordings.wav_files import RATE, silence, tone, write_wav

FORMAT = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, 8000, 32000, 4, 16)


def file_of(*chunks: bytes, riff: int | None = None) -> io.BytesIO:
    content = b"".join(chunks)
    return io.BytesIO(struct.pack("<4sI4s", b"RIFF", 4 + len(content) if riff is None else riff, b"WAVE") + content)


def data(samples: bytes, announced: int | None = None) -> bytes:
    return struct.pack("<4sI", b"data", len(samples) if announced is None else announced) + samples


def test_samples_are_found_behind_other_chunks() -> None:
    other = struct.pack("<4sI", b"LIST", 3) + b"abc\0"
    layout = read_layout(file_of(other, FORMAT, other, data(bytes(32000))))
    assert (layout.channels, layout.rate, layout.sample_bytes, layout.seconds) == (2, 8000, 2, 1.0)


@pytest.mark.parametrize(("announced", "riff"), [(0, 0), (0xFFFFFFFF, 0xFFFFFFFF), (64000, None), (0, 36)])
def test_a_file_that_was_not_closed_has_samples_up_to_its_end(announced: int, riff: int | None) -> None:
    assert read_layout(file_of(FORMAT, data(bytes(32002), announced), riff=riff)).length == 32000


def test_a_closed_file_may_be_empty() -> None:
    assert read_layout(file_of(FORMAT, data(b""))).seconds == 0


def test_what_follows_the_samples_is_none_of_them() -> None:
    layout = read_layout(file_of(FORMAT, data(bytes(16)), struct.pack("<4sI", b"LIST", 4) + b"abcd"))
    assert layout.length == 16


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"ID3\x03 an MP3",
        file_of(FORMAT).getvalue(),
        file_of(data(bytes(4))).getvalue(),
        file_of(struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 0, 8000, 0, 0, 16), data(b"")).getvalue(),
        file_of(struct.pack("<4sI", b"LIST", 0xFFFFFFF0)).getvalue(),
    ],
)
def test_what_is_no_wav_file_is_told(content: bytes) -> None:
    with pytest.raises(NotWav):
        read_layout(io.BytesIO(content))


@given(st.binary(max_size=100), st.integers(0, 60))
def test_no_beginning_is_too_strange(noise: bytes, at: int) -> None:
    content = file_of(FORMAT, data(bytes(64))).getvalue()
    try:
        layout = read_layout(io.BytesIO(content[:at] + noise + content[at + len(noise) :]))
    except NotWav:
        return
    assert layout.length >= 0


def seconds_of(path: Path) -> float:
    with wave.open(str(path)) as file:
        return file.getnframes() / file.getframerate()


def test_silence_is_taken_off_both_ends_and_not_out_of_the_middle(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", silence(2) + tone(0.5) + silence(1) + tone(0.5) + silence(3))
    trim_silence(path)
    assert seconds_of(path) == pytest.approx(2.4, abs=0.05)  # a fifth of a second is left around what is heard
    with wave.open(str(path)) as file:
        assert file.getparams()[:3] == (1, 2, RATE)
    assert list(tmp_path.iterdir()) == [path]


def test_both_channels_count(tmp_path: Path) -> None:
    left, right = silence(3), silence(1) + tone(1) + silence(1)
    interleaved = left[:0]
    for pair in zip(left, right, strict=True):
        interleaved.extend(pair)
    path = write_wav(tmp_path / "a.wav", interleaved, channels=2)
    trim_silence(path)
    assert seconds_of(path) == pytest.approx(1.4, abs=0.05)


def test_nothing_but_silence_leaves_nothing(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", silence(1))
    trim_silence(path)
    assert seconds_of(path) == 0
    trim_silence(path)
    assert seconds_of(path) == 0


def test_a_file_without_silence_stays_the_file_that_it_was(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(1))
    before = path.stat().st_ino
    trim_silence(path)
    assert path.stat().st_ino == before


def test_a_long_file_takes_no_memory(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", silence(1) + tone(0.1))
    with path.open("r+b") as file:
        file.seek(40)
        file.write(struct.pack("<I", 100_000_000))
        file.truncate(44 + 100_000_000)
        file.seek(44 + 90_000_000)
        file.write(tone(0.1).tobytes())
    tracemalloc.start()
    try:
        trim_silence(path)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert seconds_of(path) == pytest.approx(90_000_000 / 16000 - 1 + 0.1 + 0.4, abs=0.1)
