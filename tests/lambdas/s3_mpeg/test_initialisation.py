"""How the function starts, in an interpreter of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    """Initialise the function as Lambda does, any warning being an error."""
    own = {"AWS_LAMBDA_FUNCTION_NAME": "s3_mpeg", "AWS_DEFAULT_REGION": "ap-southeast-1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", "-c", "import lambdas.s3_mpeg.handler"]
    return subprocess.run(
        command, env={"PATH": os.environ["PATH"]} | own | environment, capture_output=True, text=True, check=False
    )


def test_it_starts_without_a_word(tmp_path: Path) -> None:
    # On an empty PATH pydub finds no ffmpeg, and would say so.
    started = start(PATH=str(tmp_path))
    assert (started.returncode, started.stdout, started.stderr) == (0, "", "")


def test_a_setting_that_makes_no_sense_is_found_at_the_start() -> None:
    started = start(MP3_BIT_RATE="fast")
    assert started.returncode == 1
    assert "MP3_BIT_RATE must be from 8k to 320k, not 'fast'" in started.stderr
