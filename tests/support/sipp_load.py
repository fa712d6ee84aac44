"""Runs SIPp as load: as fast as it can or at a rate, without a trace of each message."""

import contextlib
import resource
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support import sipp

AS_FAST_AS_IT_CAN = 50_000
_SOCKET_BYTES = "1000000"
"""SIPp's own choice holds some 30 datagrams: a burst of answers beyond that is lost and asked for again."""
_LISTENS_AFTER_SECONDS = 0.3


@dataclass(frozen=True)
class Outcome:
    """What some load came to.

    Attributes:
        seconds: from the first call's begin to the last one's end.
        successful: calls, or other transactions of a scenario, that went as it says.
        failed: those that did not.
        retransmissions: requests that SIPp sent again.
        sipp_cpu_seconds: what the calling SIPp itself used.
        milliseconds: of each call, between what the scenario marks with `start_rtd` and with `rtd`; empty unless asked
            for.

    """

    seconds: float
    successful: int
    failed: int
    retransmissions: int
    sipp_cpu_seconds: float
    milliseconds: Sequence[float] = ()

    @property
    def rate(self) -> float:
        """Successes a second."""
        return self.successful / self.seconds


def place_calls(
    scenario: Path,
    directory: Path,
    address: str,
    remote: str,
    *,
    calls: int,
    in_flight: int,
    rate: int = AS_FAST_AS_IT_CAN,
    talk: float = 0.0,
    users: Path | None = None,
    options: Sequence[str] = (),
    timed: bool = False,
    limit: float = 60.0,
    started: Callable[["subprocess.Popen[bytes]"], None] = lambda _: None,
) -> Outcome:
    """Place calls until all are done.

    Args:
        scenario: the XML file.
        directory: where SIPp's files go.
        address: its own address.
        remote: `host:port`.
        calls: how many.
        in_flight: how many at a time, at most.
        rate: new calls a second.
        talk: seconds that a `<pause/>` lasts.
        users: a file whose columns are `[field0]`, `[field1]`, … of the scenario.
        options: further command-line options.
        timed: whether the scenario marks times that are to be told.
        limit: seconds after which it is given up.
        started: is told SIPp's process, which may be killed.

    Raises:
        AssertionError: when it is given up.

    """
    statistics = directory / f"sipp-{time.monotonic_ns()}.csv"
    command = [*_command(scenario, directory, address), remote]
    command += ["-m", str(calls), "-l", str(in_flight), "-r", str(rate), "-d", str(int(talk * 1000))]
    command += ["-recv_timeout", "4000", "-trace_stat", "-stf", str(statistics), "-fd", "1000"]
    command += [*(["-inf", str(users)] if users is not None else []), *options]
    command += ["-trace_rtt", "-rtt_freq", "1"] if timed else []
    used, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with _running(command, directory) as process:
        started(process)
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{calls} calls are not done after {limit} seconds") from None
        milliseconds = _milliseconds(directory / f"{scenario.stem}_{process.pid}_rtt.csv") if timed else []
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = [line.split(";") for line in statistics.read_text().splitlines()]
    last = dict(zip(lines[0], lines[-1], strict=False))
    return Outcome(
        seconds,
        int(last["SuccessfulCall(C)"]),
        int(last["FailedCall(C)"]),
        int(last["Retransmissions(C)"]),
        after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime,
        milliseconds,
    )


@contextlib.contextmanager
def answering(scenario: Path, directory: Path, address: str) -> Iterator[None]:
    """Have calls answered at an address meanwhile."""
    with _running(_command(scenario, directory, address), directory):
        time.sleep(_LISTENS_AFTER_SECONDS)
        yield


def _milliseconds(path: Path) -> list[float]:
    """Return the times in SIPp's file of them: after a heading, `Date_ms;response_time_ms;rtd_name` a line."""
    return [float(line.split(";")[1]) for line in path.read_text().splitlines()[1:]] if path.exists() else []


def _command(scenario: Path, directory: Path, address: str) -> list[str]:
    errors = directory / f"sipp-{scenario.stem}-{time.monotonic_ns()}.errors"
    command = [sipp.BINARY or "sipp", "-sf", str(scenario), "-i", address, "-p", "5060", "-nostdin", "-nd"]
    return [*command, "-timer_resol", "1", "-buff_size", _SOCKET_BYTES, "-trace_err", "-error_file", str(errors)]


@contextlib.contextmanager
def _running(command: Sequence[str], directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
