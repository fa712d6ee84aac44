"""Where ffmpeg is, and how it is told to encode."""

import os
import shutil
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from lambdas.s3_mpeg.errors import Cause, ConversionError
from lambdas.s3_mpeg.mp3_format import Mp3Format

_PACKAGE = "imageio_ffmpeg"


@cache
def ffmpeg_path() -> Path:
    """Return the path of the layer's ffmpeg: it lies inside a Python package, wherever a layer is unpacked.

    Where the layer has none (it has one for Linux alone), the one on the PATH.

    Raises:
        ConversionError: ENCODER, there is neither.

    """
    # The package is found, not imported: what it does on import is of no use here.
    spec = find_spec(_PACKAGE)
    homes = list(spec.submodule_search_locations or []) if spec else []
    found = sorted(path for home in homes for path in Path(home, "binaries").glob("ffmpeg-*"))
    if not found:
        if on_path := shutil.which("ffmpeg"):
            return Path(on_path)
        raise ConversionError(Cause.ENCODER, f"no ffmpeg: the package {_PACKAGE} of the ffmpeg layer is missing")
    if not os.access(found[0], os.X_OK):
        # Some tools that unpack a layer forget the modes of its files; Lambda does not.
        with suppress(OSError):
            found[0].chmod(0o755)
    return found[0]


def encode_command(mp3: Mp3Format) -> list[str]:
    """Return the command that makes an MP3 on its output of a WAV on its input.

    What it is to be fed is `WavFormat.header` and the samples: of what callers can put into a file, nothing reaches
    its parsers. Samples without any header would do, but ffmpeg reads them in smaller packets, and takes 7 % longer.

    It writes no Xing frame and no tags: both need a second look at what was written, and the bit rate is constant.
    """
    source = ["-f", "wav", "-ignore_length", "1", "-i", "pipe:0"]
    codec = ["-codec:a", "libmp3lame", "-b:a", str(mp3.bit_rate), "-ar", str(mp3.sample_rate)]
    plain = ["-map_metadata", "-1", "-write_xing", "0", "-id3v2_version", "0", "-flush_packets", "0"]
    quiet = ["-nostdin", "-hide_banner", "-loglevel", "error"]
    return [str(ffmpeg_path()), *quiet, *source, *codec, *plain, "-f", "mp3", "pipe:1"]
