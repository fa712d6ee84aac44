"""Which reloads are due, and that none is lost."""

import threading
import time
from typing import Any

import pytest

from opensips_scheduler.errors import Unreachable
from opensips_scheduler.reloads import Reloads
from tests.containers.opensips_scheduler.conftest import RELOADS, Commands


def test_everything_is_due_at_the_start(commands: Commands) -> None:
    reloads = Reloads(commands, RELOADS)
    assert reloads.due == RELOADS
    reloads.run()
    assert (reloads.due, commands.take()) == ((), list(RELOADS))
    assert set(reloads.seconds) == set(RELOADS)


def test_everything_is_due_after_a_restart_of_opensips(reloads: Reloads, commands: Commands) -> None:
    reloads.notice_restart()
    reloads.notice_restart()
    assert reloads.due == ()
    commands.up_since = "Tue"
    reloads.notice_restart()
    assert (reloads.due, reloads.restarts) == (RELOADS, 1)


def test_what_becomes_due_while_it_runs_is_run_again(commands: Commands) -> None:
    reloads = Reloads(commands, ("lb_reload",))

    class Changing(Commands):
        def call(self, method: str, parameters: dict[str, Any] | None = None) -> Any:
            if not self.called:
                reloads.require(method)  # a change, committed while OpenSIPS reads
            return super().call(method, parameters)

    reloads._commands = changing = Changing()
    reloads.run()
    assert reloads.due == ("lb_reload",)
    reloads.run()
    assert (reloads.due, changing.called) == ((), ["lb_reload", "lb_reload"])


def test_one_that_fails_stays_due_with_those_after_it(reloads: Reloads, commands: Commands) -> None:
    reloads.require("lb_reload", "address_reload")
    commands.reachable = False
    with pytest.raises(Unreachable):
        reloads.run()
    assert set(reloads.due) == {"lb_reload", "address_reload"}


def test_who_waits_is_woken_by_what_becomes_due(reloads: Reloads) -> None:
    reloads.wait(0)
    timer = threading.Timer(0.05, reloads.require, ("lb_reload",))
    timer.start()
    began = time.monotonic()
    reloads.wait(5)
    assert time.monotonic() - began < 2
    timer.join()
