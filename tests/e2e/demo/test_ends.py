"""The demo, interrupted, killed, and with a step that fails."""

import signal
from pathlib import Path

import pytest

from tests.support.demo_run import (
    mentioning,
    output_of,
    processes_of_runs,
    start,
    stop,
    wait_for,
)

pytestmark = pytest.mark.e2e


def test_an_interrupted_demo_leaves_nothing_behind_and_has_said_what_it_would_leave_out(home: Path) -> None:
    demo = start(home, settings={"OPENSIPS": "/nonexistent/opensips", "FREESWITCH": "/nonexistent/freeswitch"})
    wait_for("the synthesis to be under way", lambda: bool(list(home.glob("run-*/cdk.log"))))
    processes = processes_of_runs(home)
    assert [process.is_alive() for process in processes] == [True, True, True]
    demo.send_signal(signal.SIGINT)
    assert demo.wait(30) == 130
    output = output_of(home)
    assert "Left out: calls" in output
    assert "opensips: OpenSIPS 3.6: packages" in output
    assert "freeswitch: FreeSWITCH 1.10: packages" in output
    assert "Interrupted." in output
    assert [process.is_alive() for process in processes] == [False, False, False]
    wait_for("the CDK to be gone", lambda: mentioning(home) == [], 5)


def test_a_step_that_does_not_come_to_its_effect_fails_by_name(home: Path) -> None:
    demo = start(home, "--within", "0", "--logs")
    assert demo.wait(240) == 1
    output = output_of(home)
    assert "A switch task starts" in output
    assert "FAILED" in output
    assert "StepFailed: waited 0 seconds for the targets" in output
    assert "emulator | " in output


def test_a_demo_that_was_killed_is_ended_by_stop(home: Path) -> None:
    demo = start(home)
    wait_for("the servers", lambda: len(processes_of_runs(home)) == 3)
    processes = processes_of_runs(home)
    demo.kill()
    demo.wait()
    assert any(process.is_alive() for process in processes)
    assert "is ended: emulator, ecs-emulator, call-platform" in stop(home)
    assert [process.is_alive() for process in processes] == [False, False, False]
