"""The demo's recording, and how an MP3 is measured."""

import array
import subprocess
import wave
from pathlib import Path

import pytest

from lambdas.s3_mpeg.ffmpeg import ffmpeg_path
from local.errors import CommandFailed
from local.mp3 import seconds_of
from local.speech import write_speech


def test_a_recording_is_telephone_speech_of_that_length(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_speech(path, 5)
    with wave.open(str(path)) as recording:
        assert (recording.getnchannels(), recording.getsampwidth(), recording.getframerate()) == (1, 2, 8_000)
        assert recording.getnframes() == 40_000
        samples = array.array("h", recording.readframes(40_000))
    loud = [any(abs(sample) > 1_000 for sample in samples[start : start + 800]) for start in range(0, 40_000, 800)]
    assert 5 < sum(loud) < 48, "it is all talk or all silence"


def test_one_seed_makes_one_recording(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_speech(tmp_path / name, 2, seed)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != (tmp_path / "c").read_bytes()


def test_an_mp3_is_as_long_as_it_plays(tmp_path: Path) -> None:
    wav, mp3 = tmp_path / "a.wav", tmp_path / "a.mp3"
    write_speech(wav, 7)
    command = [str(ffmpeg_path()), "-v", "error", "-i", str(wav), "-b:a", "32k", str(mp3)]
    subprocess.run(command, check=True)
    assert seconds_of(mp3) == pytest.approx(7, abs=0.25)


def test_what_is_no_mp3_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(b"no music")
    with pytest.raises(CommandFailed, match="cannot decode"):
        seconds_of(path)
