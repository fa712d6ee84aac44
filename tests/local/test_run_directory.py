"""Each run has a directory, which says what is its own and who looks after it."""

import os
import signal
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
    assert not run.is_kept
    run.keep()
    (run,) = RunDirectory.all(tmp_path)
    assert run.is_kept


def test_of_a_process_that_was_started_again_the_last_life_counts(tmp_path: Path) -> None:
    made = RunDirectory.create(tmp_path)
    for process in (Identity("a", 1, "then"), Identity("b", 2, "then"), Identity("a", 3, "now")):
        made.add(process)
    (run,) = RunDirectory.all(tmp_path)
    assert [(process.name, process.pid) for process in run.processes] == [("b", 2), ("a", 3)]
    made.forget("b")
    (run,) = RunDirectory.all(tmp_path)
    assert [process.name for process in run.processes] == ["a"]


def test_ending_a_run_ends_its_processes_and_removes_it(tmp_path: Path) -> None:
    process = sleeper()
    made = RunDirectory.create(tmp_path)
    made.add(Identity.of("sleeper", process.pid))
    (run,) = RunDirectory.all(tmp_path)
    assert [each.name for each in run.processes] == ["sleeper"]
    run.end()
    assert process.wait(5) != 0
    assert list(tmp_path.iterdir()) == []


OWNER = """
import sys
from pathlib import Path
from local.processes import Identity
from local.run_directory import RunDirectory
run = RunDirectory.create(Path(sys.argv[1]))
run.add(Identity.of(sys.argv[2], int(sys.argv[3])))
if sys.argv[4] == "kept":
    run.keep()
print(run.path.name, flush=True)
sys.stdin.read()
"""


def owner(home: Path, name: str, process: "subprocess.Popen[bytes]", state: str) -> "subprocess.Popen[bytes]":
    """Start a demo that looks after a process until it is told to end."""
    command = [sys.executable, "-c", OWNER, str(home), name, str(process.pid), state]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    made = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert made.stdout
    assert made.stdout.readline().startswith(b"run-")
    return made


def test_stop_ends_what_is_kept_or_was_left_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sleepers = [sleeper() for _ in range(3)]
    kept, under_way, killed = (
        owner(tmp_path, name, process, state)
        for name, process, state in zip(("one", "two", "three"), sleepers, ("kept", "busy", "busy"), strict=True)
    )
    killed.kill()
    killed.wait()
    assert stop.main(tmp_path) == 0
    assert kept.wait(5) == -signal.SIGTERM
    assert [process.poll() is None for process in (under_way, *sleepers)] == [True, False, True, False]
    said = capsys.readouterr().out
    assert "is ended: one" in said
    assert "is ended: three" in said
    assert "under way; left alone" in said
    assert len(list(tmp_path.iterdir())) == 1
    for process in (under_way, *sleepers):
        process.kill()
        process.wait()
    for made in (kept, under_way, killed):
        for stream in (made.stdin, made.stdout):
            assert stream
            stream.close()


def test_stop_says_when_there_is_nothing_to_stop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert stop.main(tmp_path / "not-there") == 0
    assert capsys.readouterr().out == "nothing to stop\n"


def test_runs_do_not_share_a_directory(tmp_path: Path) -> None:
    assert RunDirectory.create(tmp_path).path != RunDirectory.create(tmp_path).path
