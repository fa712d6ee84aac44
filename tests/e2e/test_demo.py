"""The demo as a user runs it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local.processes import Identity
from local.run_directory import ROOT

pytestmark = pytest.mark.e2e


def start(home: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start the demo, its runs kept below `home`."""
    environment = {**os.environ, "PYTHONPATH": "layers/routing/python", "SOMLENG_SWITCH_LOCAL": str(home)}
    return subprocess.Popen(
        [sys.executable, "-m", "local.demo", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(what: str, is_so: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds} seconds for {what}")
        time.sleep(0.1)


def processes_of_runs(home: Path) -> list[Identity]:
    records = home.glob("run-*/processes.json")
    return [Identity.from_json(each) for record in records for each in json.loads(record.read_text())["processes"]]


def mentioning(home: Path) -> list[str]:
    """Return the processes of this machine whose command line names the directory."""
    listed = subprocess.run(["ps", "-eo", "args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(home) in line]


def stop(home: Path) -> str:
    """Do what `make stop` does, and return what it said."""
    environment = {**os.environ, "PYTHONPATH": "layers/routing/python", "SOMLENG_SWITCH_LOCAL": str(home)}
    command = [sys.executable, "-m", "local.stop"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


def test_every_step_comes_to_what_it_should_and_what_is_kept_can_be_used_and_stopped(tmp_path: Path) -> None:
    demo = start(tmp_path, "--keep")
    output, _ = demo.communicate(timeout=240)
    assert demo.returncode == 0, output
    lines = [line.split(maxsplit=1) for line in output.splitlines()]
    numbers = [line[0] for line in lines if line and line[0].isdecimal()]
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert len(numbers) == 16
    assert "All steps passed" in output
    assert "FAILED" not in output
    processes = processes_of_runs(tmp_path)
    assert [process.is_alive() for process in processes] == [True, True, True]
    (exports,) = [line.strip() for line in output.splitlines() if line.strip().startswith("export ")]
    (command,) = [line.strip() for line in output.splitlines() if line.strip().startswith("curl ")]
    client = "import boto3; print(len(boto3.client('dynamodb').list_tables()['TableNames']))"
    script = f'{exports}; {sys.executable} -c "{client}"; {command}'
    used = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    tables, capacities = used.splitlines()
    assert tables == "7"
    assert {"region": "helium", "capacity": 1} in json.loads(capacities)
    assert "is ended" in stop(tmp_path)
    assert [process.is_alive() for process in processes] == [False, False, False]
    assert list(tmp_path.iterdir()) == []
    assert mentioning(tmp_path) == []


def test_an_interrupted_demo_leaves_nothing_behind(tmp_path: Path) -> None:
    demo = start(tmp_path)
    wait_for("the synthesis to be under way", lambda: bool(list(tmp_path.glob("run-*/cdk.log"))))
    processes = processes_of_runs(tmp_path)
    assert [process.is_alive() for process in processes] == [True, True, True]
    demo.send_signal(signal.SIGINT)
    output, _ = demo.communicate(timeout=30)
    assert demo.returncode == 130
    assert "Interrupted." in output
    assert [process.is_alive() for process in processes] == [False, False, False]
    assert list(tmp_path.iterdir()) == []
    wait_for("the CDK to be gone", lambda: mentioning(tmp_path) == [], 5)


def test_a_step_that_does_not_come_to_its_effect_fails_by_name(tmp_path: Path) -> None:
    demo = start(tmp_path, "--within", "0")
    output, _ = demo.communicate(timeout=240)
    assert demo.returncode == 1
    assert "A switch task starts" in output
    assert "FAILED" in output
    assert "StepFailed: waited 0 seconds for the targets" in output
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_was_killed_is_ended_by_stop(tmp_path: Path) -> None:
    demo = start(tmp_path)
    wait_for("the servers", lambda: len(processes_of_runs(tmp_path)) == 3)
    processes = processes_of_runs(tmp_path)
    demo.kill()
    demo.wait()
    if demo.stdout:
        demo.stdout.close()
    assert any(process.is_alive() for process in processes)
    assert "is ended: emulator, ecs-emulator, call-platform" in stop(tmp_path)
    assert [process.is_alive() for process in processes] == [False, False, False]
    assert list(tmp_path.iterdir()) == []
