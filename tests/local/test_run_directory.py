"""Each run has a directory, which says what is its own and who looks after it."""

import subprocess
import sys
from pathlib import Path

import pytest

from local import stop
from local.processes import Identity
from local.run_directory import RunDirectory


def sleeper() -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)


def test_a_run_is_looked_after_by_who_made_it(tmp_path: Path) -> None:
    RunDirectory.create(tmp_path)
    (run,) = RunDirectory.all(tmp_path)
    assert run.is_looked_after
    run.leave_running()
    (run,) = RunDirectory.all(tmp_path)
    assert not run.is_looked_after


def test_ending_a_run_ends_its_processes_and_removes_it(tmp_path: Path) -> None:
    process = sleeper()
    made = RunDirectory.create(tmp_path)
    made.add(Identity.of("sleeper", process.pid))
    (run,) = RunDirectory.all(tmp_path)
    assert [each.name for each in run.processes] == ["sleeper"]
    run.end()
    assert process.wait(5) != 0
    assert list(tmp_path.iterdir()) == []


def test_stop_ends_what_nobody_looks_after_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept, under_way = sleeper(), sleeper()
    left = RunDirectory.create(tmp_path)
    left.add(Identity.of("kept", kept.pid))
    left.leave_running()
    RunDirectory.create(tmp_path).add(Identity.of("under-way", under_way.pid))
    assert stop.main(tmp_path) == 0
    assert kept.wait(5) != 0
    assert under_way.poll() is None
    said = capsys.readouterr().out
    assert f"{left.path.name} is ended: kept" in said
    assert "under way; left alone" in said
    under_way.kill()
    under_way.wait()


def test_stop_says_when_there_is_nothing_to_stop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert stop.main(tmp_path / "not-there") == 0
    assert capsys.readouterr().out == "nothing to stop\n"


def test_runs_do_not_share_a_directory(tmp_path: Path) -> None:
    assert RunDirectory.create(tmp_path).path != RunDirectory.create(tmp_path).path
