"""How long an MP3 plays, by what a decoder makes of it."""

import subprocess
from pathlib import Path

from lambdas.s3_mpeg.ffmpeg import ffmpeg_path
from local.errors import CommandFailed

_SAMPLE_RATE = 8_000


def seconds_of(path: Path) -> float:
    """Decode an MP3 and return its duration in seconds.

    Raises:
        CommandFailed: when it cannot be decoded.

    """
    command = [str(ffmpeg_path()), "-v", "error", "-xerror", "-i", str(path)]
    command += ["-f", "s16le", "-ac", "1", "-ar", str(_SAMPLE_RATE), "-"]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise CommandFailed(f"ffmpeg cannot decode {path}: {done.stderr.decode(errors='replace').strip()}")
    return len(done.stdout) / 2 / _SAMPLE_RATE
