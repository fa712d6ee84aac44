"""What the environment says."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_BIT_RATE = re.compile(r"(\d{1,7})(k?)", re.IGNORECASE)
_SOURCE_EXTENSION = ".wav"


@dataclass(frozen=True, slots=True)
class Settings:
    """The function's settings.

    Attributes:
        extension: what replaces `.wav` in the key, with its dot.
        bit_rate: bits per second of one channel at telephone rates; `mp3_format` scales it for the others.

    """

    extension: str
    bit_rate: int

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read `CONVERT_TO_EXTENSION` (`.mp3`) and `MP3_BIT_RATE` (`32k`, `32000`).

        Raises:
            ValueError: a value makes no sense; the message names the variable.

        """
        extension = environment.get("CONVERT_TO_EXTENSION") or ".mp3"
        if not re.fullmatch(r"\.\w+", extension):
            raise ValueError(f"CONVERT_TO_EXTENSION must be a dot and letters, not {extension!r}")
        if extension.lower() == _SOURCE_EXTENSION:
            raise ValueError("CONVERT_TO_EXTENSION must not be .wav: the result would be converted again")
        return cls(extension, _bit_rate(environment.get("MP3_BIT_RATE") or "32k"))


def _bit_rate(text: str) -> int:
    match = _BIT_RATE.fullmatch(text)
    rate = int(match[1]) * (1000 if match[2] else 1) if match else 0
    if not 8_000 <= rate <= 320_000:
        raise ValueError(f"MP3_BIT_RATE must be from 8k to 320k, not {text!r}")
    return rate
