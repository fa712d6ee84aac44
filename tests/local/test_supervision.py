"""A process that ends is reported and started again; one that fails again and again is given up."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.errors import ServerFailed
from local.processes import Identity, Server
from local.supervision import Backoff, Supervisor

SLEEPER = "print('up', flush=True); import time; time.sleep(60)"
QUICK = Backoff(first=0.05, longest=0.1, lives=3, settled=30)


class Watched:
    """A supervisor, and what it said.

    Attributes:
        pids: of every process that was started, in order.
        forgotten: names of those that ended as they were told.
        reports: what people were told.

    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.pids: list[int] = []
        self.forgotten: list[str] = []
        self.reports: list[str] = []
        self.supervisor = Supervisor(self._note, self.forgotten.append, self.reports.append, QUICK)

    def _note(self, identity: Identity) -> None:
        self.pids.append(identity.pid)

    def start(self, program: str, *, ready: Callable[[], bool] = lambda: True, restarts: bool = True) -> Server:
        server = Server("a-server", [sys.executable, "-c", program], {}, self.directory, ready)
        self.supervisor.start(server, restarts=restarts)
        return server

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, self.reports
            time.sleep(0.02)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path)
    yield made
    made.supervisor.stop()


def test_a_process_that_is_killed_is_reported_and_started_again(watched: Watched) -> None:
    server = watched.start(SLEEPER)
    watched.until(lambda: "up" in server.log.read_text())
    os.kill(watched.pids[0], signal.SIGKILL)
    watched.until(lambda: len(watched.pids) == 2)
    watched.until(lambda: server.log.read_text().count("up") == 2)
    assert server.pid == watched.pids[1] != watched.pids[0]
    (report,) = watched.reports
    assert report.startswith("a-server ended with status -9 after ")
    assert "started again in 0.05 seconds" in report
    assert report.endswith("  up"), "the end of its log is in the report"


def test_a_crash_loop_is_given_up_with_the_end_of_its_log(watched: Watched) -> None:
    server = watched.start("import sys; sys.exit('the port is taken')", ready=lambda: False)
    with pytest.raises(ServerFailed, match=r"status 1 .*3 times in a row, and is given up(.|\n)*the port is taken"):
        watched.supervisor.wait_until_ready(10)
    assert len(watched.pids) == 3
    assert len(watched.reports) == 3
    time.sleep(0.3)
    assert len(watched.pids) == 3
    assert server.log.read_text().count("the port is taken") == 3


def test_a_wrong_setting_is_no_reason_to_try_again(watched: Watched) -> None:
    watched.start("raise SystemExit(78)", ready=lambda: False)
    with pytest.raises(ServerFailed, match=r"status 78 .*is given up"):
        watched.supervisor.wait_until_ready(10)
    assert len(watched.pids) == 1


def test_what_forgets_everything_is_not_started_again(watched: Watched) -> None:
    watched.start("raise SystemExit(0)", restarts=False)
    watched.until(lambda: watched.reports)
    assert "status 0" in watched.reports[0]
    assert len(watched.pids) == 1


def test_a_process_that_is_told_to_end_ends_and_is_not_missed(watched: Watched) -> None:
    server = watched.start(f"import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7)); {SLEEPER}")
    watched.until(lambda: "up" in server.log.read_text())
    assert watched.supervisor.end(server, 5) == 7
    assert watched.supervisor.servers == []
    assert watched.forgotten == ["a-server"]
    time.sleep(0.2)
    assert (watched.reports, len(watched.pids)) == ([], 1)


def test_a_process_that_does_not_end_in_time_is_named(watched: Watched) -> None:
    server = watched.start(f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}")
    watched.until(lambda: "up" in server.log.read_text())
    with pytest.raises(ServerFailed, match="a-server goes on"):
        watched.supervisor.end(server, 0.2)
    assert server.wait(5) == -9


def test_a_server_that_is_not_ready_in_time_is_named(watched: Watched) -> None:
    watched.start(SLEEPER, ready=lambda: False)
    with pytest.raises(ServerFailed, match="a-server is not ready after 0 seconds"):
        watched.supervisor.wait_until_ready(0.2)


def test_stopping_ends_everything_also_what_is_about_to_be_started_again(watched: Watched) -> None:
    watched.start("raise SystemExit(1)")
    watched.until(lambda: watched.reports)
    watched.supervisor.stop()
    count = len(watched.pids)
    time.sleep(0.3)
    assert len(watched.pids) == count


def test_pauses_grow_up_to_a_limit() -> None:
    backoff = Backoff()
    assert [backoff.pause(lives) for lives in range(1, 8)] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
