"""What comes of a recording that did not fail."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lambdas.s3_mpeg.mp3_format import Mp3Format
from lambdas.s3_mpeg.wav_format import WavFormat


class Skipped(StrEnum):
    """Why nothing was converted although nothing failed."""

    DONE = "done"
    """The result of this very source is there."""
    REPLACED = "replaced"
    """The source is no longer the one of the event; the newer one has an event of its own."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A recording that was converted.

    Attributes:
        key: the result's key.
        wav: the samples' format.
        mp3: the result's format.
        audio_seconds: how long the recording plays.
        wall_seconds: how long the conversion took.
        bytes_in: size of the source.
        bytes_out: size of the result.
        peak: dBFS, or None; see Levels.
        rms: dBFS, or None; see Levels.
        metadata_dropped: names of the source's metadata for which the result had no room.

    """

    key: str
    wav: WavFormat
    mp3: Mp3Format
    audio_seconds: float
    wall_seconds: float
    bytes_in: int
    bytes_out: int
    peak: float | None
    rms: float | None
    metadata_dropped: list[str]

    @property
    def speed(self) -> float:
        """Seconds of audio per second of work."""
        return self.audio_seconds / self.wall_seconds

    def facts(self) -> dict[str, Any]:
        """Return what is worth a log line, by the names that it has there."""
        return {
            "result": self.key,
            "coding": self.wav.name,
            "channels": self.wav.channels,
            "sample_rate": self.wav.sample_rate,
            "mp3_sample_rate": self.mp3.sample_rate,
            "mp3_bit_rate": self.mp3.bit_rate,
            "audio_seconds": round(self.audio_seconds, 3),
            "wall_seconds": round(self.wall_seconds, 3),
            "speed": round(self.speed, 1),
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "peak_dbfs": self.peak,
            "rms_dbfs": self.rms,
        } | ({"metadata_dropped": self.metadata_dropped} if self.metadata_dropped else {})
