"""Reads MP3s back by decoding them: what they hold and not what they say of themselves."""

import subprocess
from array import array
from dataclasses import dataclass
from itertools import pairwise

from lambdas.s3_mpeg.ffmpeg import ffmpeg_path


@dataclass(frozen=True)
class Decoded:
    """Samples of each channel, 16 bits."""

    sample_rate: int
    channels: tuple["array[int]", ...]

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.channels[0]) / self.sample_rate

    def frequency(self, channel: int) -> float:
        """Return the pitch in the middle half of a channel, in hertz, by counting zero crossings."""
        samples = self.channels[channel]
        middle = samples[len(samples) // 4 : 3 * len(samples) // 4]
        crossings = sum((a < 0) != (b < 0) for a, b in pairwise(middle))
        return crossings / 2 / (len(middle) / self.sample_rate)

    def peak(self, channel: int) -> float:
        """Return the loudest sample in the middle half of a channel, of full scale 1."""
        samples = self.channels[channel]
        return max(map(abs, samples[len(samples) // 4 : 3 * len(samples) // 4])) / 32768


def decode(mp3: bytes, *, sample_rate: int, channels: int) -> Decoded:
    """Decode an MP3; fail if it has another sample rate or number of channels than expected."""
    said = _ffmpeg("-f", "mp3", "-i", "pipe:0", "-f", "null", "-", given=mp3).stderr.decode()
    stream = next(line for line in said.splitlines() if "Audio: mp3" in line)
    assert f"{sample_rate} Hz, {'mono' if channels == 1 else 'stereo'}" in stream, stream
    raw = array("h", _ffmpeg("-f", "mp3", "-i", "pipe:0", "-f", "s16le", "pipe:1", given=mp3).stdout)
    return Decoded(sample_rate, tuple(raw[channel::channels] for channel in range(channels)))


def _ffmpeg(*arguments: str, given: bytes) -> subprocess.CompletedProcess[bytes]:
    command = [str(ffmpeg_path()), "-hide_banner", "-xerror", *arguments]
    return subprocess.run(command, input=given, capture_output=True, check=True)
