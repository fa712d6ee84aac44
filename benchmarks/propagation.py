"""From an ECS event into the services function to OpenSIPS answering a call accordingly.

The real handler writes to an emulated DynamoDB over HTTP, the real scheduler (a process of its own, default settings)
follows, and a carrier places real calls, one after the other, until the answer is the new one. Half of the changes are
starts: "No Destination available" becomes the new switch's own 486. Half are stops: the 486 becomes "No Destination
available". So what is measured ends with a call that went right, not with a row or a reload.

It is compared with what a gateway that reloads a database every 30 seconds takes by its clock alone: 15 s in the
middle, 30 s at worst. Needs OpenSIPS (see docs/gateways.md).

    make bench, or python -m benchmarks.propagation [--changes 100]
"""

import argparse
import io
import os
import statistics
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3

from local import servers
from routing import Address, PutAddress, RoutingRepository
from tests.support import opensips
from tests.support.ecs_events import task_event
from tests.support.loopback import LoopbackNetwork
from tests.support.opensips import Gateway
from tests.support.routing_tables import NAMES, create_tables
from tests.support.scheduler import Sidecar
from tests.support.services_environment import services_environment
from tests.support.sip_calls import acknowledge_refusal, invite
from tests.support.sip_peer import Peer

_GIVE_UP_SECONDS = 30.0
_RELOAD_SECONDS = 30.0
_ANSWER_SECONDS = 2.0
_NO_SWITCH, _BUSY = 500, 486
_SIP_PORT = 5060


def call(carrier: Peer, switch: Peer | None, gateway: str) -> int:
    """Return the status of a call's final answer, 0 for a call that was not answered in time; the switch is busy."""
    uri, to = f"sip:1234@{gateway}:{_SIP_PORT}", (gateway, _SIP_PORT)
    call_id = invite(carrier, uri, to)
    deadline = time.monotonic() + _ANSWER_SECONDS
    while time.monotonic() < deadline:
        if switch is not None and switch.received("INVITE"):
            switch.respond(switch.receive("INVITE"), f"{_BUSY} Busy Here", tag="switch")
        if carrier.received("SIP/2.0"):
            answer = carrier.receive("SIP/2.0")
            status = int(answer.first_line.split()[1])
            if status >= 200 and answer.header("Call-ID") == call_id:
                acknowledge_refusal(carrier, uri, to, answer)
                return status
        time.sleep(0.0002)
    return 0


def _calls_until(carrier: Peer, switch: Peer | None, wanted: int, began: float, gateway: Gateway) -> float:
    """Return the seconds since `began` at which a call is answered as wanted."""
    while (status := call(carrier, switch, gateway.address)) != wanted:
        if time.monotonic() - began > _GIVE_UP_SECONDS:
            raise SystemExit(f"calls are answered {status}, not {wanted}:\n{gateway.log_text()[-2000:]}")
        time.sleep(0.002)
    return time.monotonic() - began


def _measure(gateway: Gateway, network: LoopbackNetwork, changes: int) -> tuple[list[float], list[float]]:
    """Return the seconds of each start and of each stop."""
    starts: list[float] = []
    stops: list[float] = []
    with Peer(network.address()) as carrier:
        RoutingRepository(boto3.client("dynamodb"), NAMES).write([PutAddress(Address(carrier.address, 1), 1)])
        # Until then 403: the carrier is not known yet.
        _calls_until(carrier, None, _NO_SWITCH, time.monotonic(), gateway)
        _start_and_stop(carrier, gateway, network, changes, starts, stops)
    return starts, stops


def _start_and_stop(
    carrier: Peer, gateway: Gateway, network: LoopbackNetwork, changes: int, starts: list[float], stops: list[float]
) -> None:
    from lambdas.services.handler import handler, logger

    logger.registered_handler.stream = io.StringIO()  # type: ignore[attr-defined]
    context: Any = SimpleNamespace(
        function_name="services", aws_request_id="request", get_remaining_time_in_millis=lambda: 60_000
    )
    for number in range((changes + 1) // 2):
        ip = network.address()
        time.sleep(0.013 * (number % 40))  # no step with the scheduler's own clock
        running: Any = task_event(f"task-{number}", ip=ip, version=3)
        stopped: Any = task_event(f"task-{number}", ip=ip, last_status="STOPPED", version=4)
        with Peer(ip, answers_options=True) as switch:
            for event, wanted, seconds in ((running, _BUSY, starts), (stopped, _NO_SWITCH, stops)):
                began = time.monotonic()
                with redirect_stdout(io.StringIO()):  # its logs and metrics
                    handler(event, context)
                seconds.append(_calls_until(carrier, switch, wanted, began, gateway))
                time.sleep(0.017 * (number % 30))


def _print(name: str, seconds: list[float]) -> None:
    median, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100, method="inclusive")[98]
    sooner = f"{_RELOAD_SECONDS / 2 / median:5.0f} and {_RELOAD_SECONDS / p99:.0f} times sooner"
    print(f"  {name:8} median {median:6.3f} s   p99 {p99:6.3f} s   worst {max(seconds):6.3f} s   {sooner}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--changes", type=int, default=100, help="at most 400")
    changes = parser.parse_args().changes
    if opensips.BINARY is None:
        print(f"left out: {opensips.MISSING}")
        return
    with tempfile.TemporaryDirectory(prefix="gateway-") as name:
        directory, port, network = Path(name), servers.free_port(), LoopbackNetwork()
        server = servers.ecs_emulator(directory, port)
        server.start()
        try:
            server.wait_until_ready(30)
            endpoint = f"http://{servers.HOST}:{port}"
            os.environ.update({**servers.credentials(), "AWS_ENDPOINT_URL": endpoint})
            create_tables(boto3.client("dynamodb"))
            queue = boto3.client("sqs").create_queue(QueueName="switch-services")["QueueUrl"]
            os.environ.update(services_environment(queue))
            gateway = Gateway("public", directory, network.address(), {"PROBE_INTERVAL": "3600"}, ready=False)
            with Sidecar("public", directory, gateway.address, endpoint), gateway:
                starts, stops = _measure(gateway, network, changes)
        finally:
            server.stop()
    together = starts + stops
    p99 = statistics.quantiles(together, n=100, method="inclusive")[98]
    print(
        f"{len(together)} changes, handler called to a call answered accordingly; a reload every 30 s takes 15 and 30 s"
    )
    _print("starts", starts)
    _print("stops", stops)
    _print("both", together)
    print(f"  goal     p99 under 1.000 s: {'met' if p99 < 1 else 'MISSED'}")


if __name__ == "__main__":
    main()
