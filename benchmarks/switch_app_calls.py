"""Calls a second through real FreeSWITCH and the switch app, and the CPU time of a call that each of them takes.

The app runs as in its container, FreeSWITCH as in its own, with the settings of production. SIPp calls FreeSWITCH as a
gateway would, and talks while it listens: the platform is asked, the document is fetched (`<Play>` of half a second,
which is cached, and `<Hangup/>`), the call is answered, the audio played to its end, the call ended, its events
delivered. Its data record is the event logger's, which does not run here. CPU time is taken over whole rounds at a
moderate rate, from before the first call until the platform knows of the last one's end, without what each uses when
there are no calls.

Then the rate rises step by step, until calls fail, are answered late, or messages have to be sent again: the step
before is what is carried. All share the machine's cores with SIPp and with this process, which has the stand-ins for
platform and customer in it: on a machine of its own a switch carries more.

The app runs on the interpreter that this runs on, unless another is named. That of the app's image is built with
profile-guided and link-time optimisation, and many a developer's is not: `--python` names one that is, with what
`containers/switch_app/requirements.txt` says installed for it.

    make bench, or python -m benchmarks.switch_app_calls [--rounds 3] [--seconds 4] [--no-ladder] [--python PATH]
"""

import argparse
import io
import statistics
import sys
import tempfile
import time
import wave
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from benchmarks.journal import emulator
from local import servers
from tests.fakes.call_platform import CallPlatform
from tests.fakes.customer_server import CustomerServer, Reply, twiml
from tests.support import freeswitch, sipp
from tests.support.cpu_time import cpu_seconds
from tests.support.freeswitch import FreeSwitchProcess
from tests.support.loopback import LoopbackNetwork
from tests.support.sipp_load import Outcome, place_calls
from tests.support.switch_app import PASSWORD_PARAMETER, SwitchApp

GOAL = 0.25
"""CPU time of the app for that of FreeSWITCH."""

_SCENARIO = Path(__file__).parent / "scenarios" / "caller.xml"
_PASSWORD = "services-password"  # noqa: S105
_MODERATE = 40
"""Calls a second of the rounds that CPU time is taken over."""
_STEPS = range(60, 201, 20)
_STEP_SECONDS = 2.0
_LATE_MILLISECONDS = 1000.0
"""A call that is answered later counts as late: by then callers hear nothing for too long."""
_IDLE_SECONDS = 3.0
_EVENTS_SECONDS = 8.0


@dataclass(frozen=True)
class Used:
    """CPU seconds."""

    app: float
    freeswitch: float


class Switch:
    """FreeSWITCH, the app, and who they talk to."""

    def __init__(self, directory: Path, carrier: str, process: FreeSwitchProcess, app: SwitchApp, told: CallPlatform):
        self.directory, self.carrier, self.process, self.app, self.told = directory, carrier, process, app, told

    def used(self) -> Used:
        """Return what both have used so far."""
        assert self.process.process is not None
        return Used(cpu_seconds(self.app.pid), cpu_seconds(self.process.process.pid))

    def call(self, calls: int, rate: int) -> tuple[Outcome, Used, float]:
        """Place calls, wait until everything of them is over; return how it went, what it took and how long."""
        completed, before, began = self._completed(), self.used(), time.monotonic()
        outcome = place_calls(
            _SCENARIO,
            self.directory,
            self.carrier,
            f"{self.process.address}:5060",
            calls=calls,
            in_flight=calls,
            rate=rate,
            timed=True,
        )
        deadline = time.monotonic() + _EVENTS_SECONDS
        while self._completed() < completed + outcome.successful and time.monotonic() < deadline:
            time.sleep(0.05)
        after = self.used()
        used = Used(after.app - before.app, after.freeswitch - before.freeswitch)
        return outcome, used, time.monotonic() - began

    def _completed(self) -> int:
        """Return how many calls the platform was told the end of."""
        return sum(event["type"] == "completed" for event in self.told.call_events)

    def idle(self) -> Used:
        """Return what both use in a second without calls."""
        before = self.used()
        time.sleep(_IDLE_SECONDS)
        after = self.used()
        return Used(
            (after.app - before.app) / _IDLE_SECONDS,
            (after.freeswitch - before.freeswitch) / _IDLE_SECONDS,
        )

    def carried(self) -> tuple[int, Outcome | None, str]:
        """Return the highest rate that is carried, how it went, and what stopped the one after it."""
        reached, best, reason = 0, None, "nothing did"
        for rate in _STEPS:
            for _ in range(2):  # something else may have had the machine for a moment
                outcome, _, _ = self.call(int(rate * _STEP_SECONDS), rate)
                late = _percentile(outcome.milliseconds, 99)
                if not outcome.failed and late <= _LATE_MILLISECONDS and not outcome.retransmissions:
                    reached, best = rate, outcome
                    break
            else:
                told = f"{outcome.failed} failed, {outcome.retransmissions} messages sent again, p99 {late:.0f} ms"
                return reached, best, f"at {rate}: {told}"
        return reached, best, reason


@contextmanager
def _switch(python: str = sys.executable) -> Iterator[Switch]:
    network = LoopbackNetwork()
    address, carrier = network.address(), network.address()
    handover = f"{address}:8084"
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="calls-")))
        for name in ("freeswitch", "app"):
            (directory / name).mkdir()
        (directory / "caller.alaw").write_bytes(bytes(range(0x30, 0x80)) * 100)  # a second of sound, again and again
        endpoint = stack.enter_context(emulator())
        _password(endpoint)
        platform = stack.enter_context(CallPlatform("services", _PASSWORD))
        customer = stack.enter_context(CustomerServer())
        audio = customer.reply("/half.wav", Reply(_audio(), headers=_AUDIO_HEADERS))
        document = customer.reply("/document", twiml(f"<Play>{audio}</Play><Hangup/>"))
        platform.numbers["1294"] = {"voice_url": document}
        process = FreeSwitchProcess(directory / "freeswitch", address, handover, {"FS_LOG_LEVEL": "notice"})
        stack.callback(process.stop, kill=True)  # its own end takes five seconds
        process.start()
        settings = {
            "CALL_DATA_RECORDS_DIRECTORY": str(process.records),
            "CALL_PLATFORM_HOST": platform.url,
            "FS_EVENT_SOCKET_HOST": address,
            "FS_EVENT_SOCKET_PASSWORD": freeswitch.PASSWORD,
            "FS_SWITCH_APP_ADDRESS": handover,
            "PRIVATE_NETWORKS_ALLOWED": "127.0.0.0/8",
        }
        app = stack.enter_context(SwitchApp(directory / "app", endpoint, settings, python))
        yield Switch(directory, carrier, process, app, platform)


def _password(endpoint: str) -> None:
    keys: Any = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    ssm = boto3.client("ssm", endpoint_url=endpoint, region_name=servers.REGION, **keys)
    ssm.put_parameter(Name=PASSWORD_PARAMETER, Value=_PASSWORD, Type="SecureString")


_AUDIO_HEADERS = [("Content-Type", "audio/wav"), ("Cache-Control", "max-age=3600")]


def _audio() -> bytes:
    """Return half a second of a WAV file."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\x10\x00\x20\x01" * 2000)
    return content.getvalue()


def _percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return float(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]) if ordered else float("inf")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3, help="that CPU time is taken over")
    parser.add_argument("--seconds", type=float, default=4.0, help="of a round")
    parser.add_argument("--no-ladder", action="store_true", help="take CPU time alone")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that the app runs on")
    arguments = parser.parse_args()
    missing = {freeswitch.MISSING: freeswitch.BINARY, sipp.MISSING: sipp.BINARY}
    for reason, binary in missing.items():
        if binary is None:
            print(f"left out: {reason}")
            return
    with _switch(arguments.python) as switch:
        switch.call(2 * _MODERATE, _MODERATE)  # connections and caches are warm
        idle, rounds = switch.idle(), []
        answers: list[float] = []
        for _ in range(arguments.rounds):
            outcome, used, seconds = switch.call(int(arguments.seconds * _MODERATE), _MODERATE)
            if outcome.failed:
                raise SystemExit(f"{outcome.failed} calls failed at {_MODERATE} a second")
            per_call = 1000 / outcome.successful
            rounds.append(
                Used(
                    (used.app - idle.app * seconds) * per_call,
                    (used.freeswitch - idle.freeswitch * seconds) * per_call,
                )
            )
            answers += outcome.milliseconds
        reached, best, stopped = (0, None, "") if arguments.no_ladder else switch.carried()
    print(f"without calls: app {1000 * idle.app:.0f}, FreeSWITCH {1000 * idle.freeswitch:.0f} CPU ms a second")
    print(f"{'CPU ms a call':22}{'median':>9}   by round")
    app, media = [one.app for one in rounds], [one.freeswitch for one in rounds]
    for name, values in (("app", app), ("FreeSWITCH", media)):
        print(f"{name:22}{statistics.median(values):9.2f}   {' '.join(f'{value:.2f}' for value in values)}")
    _print_answers(f"answered, {_MODERATE} calls/s", answers)
    if not arguments.no_ladder:
        if best is None:
            raise SystemExit(f"not even {_STEPS[0]} calls a second are carried: {stopped}")
        _print_answers(f"answered, {reached} calls/s", best.milliseconds)
        print(f"calls/s carried: {reached} (stopped by {stopped})")
    ratio = statistics.median(one.app / one.freeswitch for one in rounds)
    print(f"\ngoal: app / FreeSWITCH at most {GOAL}: {'met' if ratio <= GOAL else 'MISSED'} ({ratio:.2f})")


def _print_answers(name: str, milliseconds: Sequence[float]) -> None:
    print(f"{name:22}p50 {_percentile(milliseconds, 50):.0f} ms, p99 {_percentile(milliseconds, 99):.0f} ms")


if __name__ == "__main__":
    main()
