"""A short soak, with every kind of call and of disturbance in it once.

It takes two minutes of both cores of a small machine, half of what the whole suite has: SOAK=1 asks for it.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.run_directory import ROOT
from local.soak.schedule import Kind
from local.voice.programs import missing

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not os.environ.get("SOAK"), reason="a soak of two minutes: SOAK=1 asks for it"),
    pytest.mark.skipif(bool(missing(os.environ)), reason=", ".join(p.name for p in missing(os.environ)) + " missing"),
]
_FOLDERS = "opensips_scheduler", "switch_app", "freeswitch_event_logger", "switch_operator"
_PATH = os.pathsep.join(("layers/routing/python", *(f"containers/{name}" for name in _FOLDERS)))
_KINDS = {
    "carrier: Say",
    "carrier: Gather",
    "carrier: Record",
    "carrier: Dial",
    "carrier: Dial, busy",
    "client calls",
    "client is called",
    "carrier is called",
    "stranger",
    "client, wrong password",
    "newcomer",
    "newcomer, gone again",
}


@pytest.fixture
def home() -> Iterator[Path]:
    """Where the run is: a short path, since sockets lie below it."""
    path = Path(tempfile.mkdtemp(prefix="soak-"))
    yield path
    shutil.rmtree(path)


def test_a_short_soak_balances_and_leaves_nothing_but_its_ledger(home: Path) -> None:
    arguments = ["--minutes", "0.7", "--rate", "2", "--seed", "7"]
    soak = subprocess.run(
        [sys.executable, "-m", "local.soak", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": _PATH, "SOMLENG_SWITCH_LOCAL": str(home)},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert soak.returncode == 0, soak.stdout + soak.stderr
    assert "It balances." in soak.stdout
    assert "FAILED" not in soak.stdout
    for kind in Kind:
        assert soak.stdout.count(kind.value) >= 2, f"{kind.value} was announced and not done"
    (kept,) = home.iterdir()
    ledger = json.loads((kept / "ledger.json").read_text())
    assert ledger["findings"] == []
    assert {call["kind"] for call in ledger["calls"]} == _KINDS
    well = [call for call in ledger["calls"] if not call["problem"]]
    assert {call["kind"] for call in well} == _KINDS
    assert all(call["sid"] for call in well if not call["refused"])
    assert (kept / "switch-1-app.log").stat().st_size > 0
    assert any(name.startswith("switch-2-freeswitch") for name in ledger["samples"])
    listed = subprocess.run(["ps", "-eo", "args="], capture_output=True, text=True, check=True).stdout
    assert [line for line in listed.splitlines() if str(home) in line] == []
