"""What kind of audio something is, told by its beginning, and where that says nothing by its type and name. Pure."""

from pathlib import PurePosixPath
from typing import Final

BEGINNING_BYTES: Final = 64
"""As much of a file as is looked at."""

# Types that say nothing: what servers send that do not know what they serve.
_UNKNOWN_TYPES: Final = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/x-binary"})
_GSM_TYPES: Final = frozenset({"audio/gsm", "audio/x-gsm"})
_MU_LAW_TYPES: Final = frozenset({"audio/basic", "audio/ulaw", "audio/x-mulaw", "audio/mulaw", "audio/pcmu"})
_GSM_NAMES: Final = frozenset({".gsm"})
_MU_LAW_NAMES: Final = frozenset({".ul", ".ulaw", ".pcmu"})
_GSM_MAGIC: Final = 0xD0


def audio_suffix(beginning: bytes, content_type: str, path: str) -> str | None:
    """Return what the name of a file ends with so that the media server plays it: `.wav`, `.mp3`, `.aiff`, `.au`,
    `.gsm`, `.ul`; None for what is no audio that it plays.

    Args:
        beginning: its first bytes.
        content_type: the header; empty where there is none.
        path: of its URL.

    """
    if suffix := _by_beginning(beginning):
        return suffix
    kind = content_type.partition(";")[0].strip().lower()
    name = PurePosixPath(path).suffix.lower()
    if not (kind in _UNKNOWN_TYPES or kind.startswith("audio/")):
        return None
    # Files without a header, which anything might be: the type counts, and the name where the type says nothing.
    if kind in _GSM_TYPES or (kind not in _MU_LAW_TYPES and name in _GSM_NAMES):
        return ".gsm" if beginning and beginning[0] & 0xF0 == _GSM_MAGIC else None
    if kind in _MU_LAW_TYPES or name in _MU_LAW_NAMES:
        return ".ul" if beginning else None
    return None


def _by_beginning(beginning: bytes) -> str | None:
    if beginning[:4] in (b"RIFF", b"RF64") and beginning[8:12] == b"WAVE":
        return ".wav"
    if beginning[:4] == b"FORM" and beginning[8:12] in (b"AIFF", b"AIFC"):
        return ".aiff"
    if beginning[:4] == b".snd":
        return ".au"
    if beginning[:3] == b"ID3" or _is_mpeg_frame(beginning):
        return ".mp3"
    return None


def _is_mpeg_frame(beginning: bytes) -> bool:
    """Whether it begins like an MPEG audio frame: eleven ones, then a version, a layer, a bit rate and a sample rate
    that exist."""
    if len(beginning) < 4 or beginning[0] != 0xFF or beginning[1] & 0xE0 != 0xE0:
        return False
    has_version, has_layer = beginning[1] & 0x18 != 0x08, beginning[1] & 0x06 != 0
    has_rates = beginning[2] & 0xF0 != 0xF0 and beginning[2] & 0x0C != 0x0C
    return has_version and has_layer and has_rates
