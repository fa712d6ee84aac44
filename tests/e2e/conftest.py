"""What the end-to-end tests share."""

import shutil
from pathlib import Path

import pytest

from local.run_directory import ROOT


@pytest.fixture(autouse=True)
def installed() -> None:
    """Skip by name where something is not installed; `make test` installs all of it."""
    for path in (".venv-emulator/bin/python", "node_modules/.bin/cdk"):
        if not (Path(ROOT) / path).exists():
            pytest.skip(f"{path} is not installed; `make test` installs it")
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
