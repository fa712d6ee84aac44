"""A home of a test's own for the demo's runs."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.processes import Identity
from tests.support.demo_run import stop


@pytest.fixture
def home() -> Iterator[Path]:
    """Where runs are kept: a short path, since sockets lie below it. Nothing of a run may be left there."""
    path = Path(tempfile.mkdtemp(prefix="demo-"))
    yield path
    left = list(path.iterdir())
    for run in path.glob("run-*/processes.json"):  # of a test that failed
        Identity.from_json(json.loads(run.read_text())["owner"]).end_alone(20)
    stop(path)
    shutil.rmtree(path)
    (path.parent / f"{path.name}.out").unlink(missing_ok=True)
    assert left == []
