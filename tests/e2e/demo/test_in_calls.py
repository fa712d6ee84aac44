"""The demo, told to end in the middle of calls."""

import os
import signal
from pathlib import Path

import pytest

from local.voice.programs import missing
from tests.support.demo_run import (
    devices_left,
    mentioning,
    output_of,
    processes_of_runs,
    start,
    wait_for,
)

pytestmark = pytest.mark.e2e


@pytest.mark.skipif(bool(missing(os.environ)), reason="programs that carry calls are not installed")
def test_a_demo_that_is_told_to_end_in_the_middle_of_calls_leaves_nothing_behind(home: Path) -> None:
    demo = start(home, "--calls-only")

    def is_calling() -> bool:
        """Whether a client has registered, behind NAT if that can be had: its calls come next."""
        return "is registered as" in output_of(home)

    wait_for("a registered client", lambda: is_calling() or demo.poll() is not None, 200)
    assert demo.poll() is None, output_of(home)
    processes = processes_of_runs(home)
    assert len(processes) > 15
    demo.send_signal(signal.SIGTERM)
    assert demo.wait(15) == 130, output_of(home)
    assert [process.is_alive() for process in processes] == [False] * len(processes)
    assert mentioning(home) == []
    assert devices_left(home) == set()
