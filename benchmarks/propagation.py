"""From an ECS event into the services function to OpenSIPS having the new target, or having it no more.

The real handler writes to an emulated DynamoDB over HTTP, the real scheduler (a process of its own, default settings)
follows, and real OpenSIPS is asked again and again what targets it has. Half of the changes are starts, half stops. It
is compared with what a gateway that reloads a database every 30 seconds takes by its clock alone: 15 s in the middle,
30 s at worst. Needs OpenSIPS (see docs/gateways.md).

    make bench, or python -m benchmarks.propagation [--changes 100]
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3

from local import servers
from tests.support import opensips
from tests.support.ecs_events import task_event
from tests.support.loopback import LoopbackNetwork
from tests.support.opensips import Gateway
from tests.support.routing_tables import create_tables
from tests.support.scheduler import Sidecar
from tests.support.services_environment import services_environment

_GIVE_UP_SECONDS = 30.0
_RELOAD_SECONDS = 30.0


def _targets(gateway: Gateway) -> set[str]:
    return {each["uri"] for each in gateway.mi("lb_list")["Destinations"]}


def _measure(gateway: Gateway, changes: int) -> list[float]:
    from lambdas.services.handler import handler

    context: Any = SimpleNamespace(
        function_name="services", memory_limit_in_mb=512, invoked_function_arn="arn", aws_request_id="request"
    )
    seconds = []
    for turn in range(changes):
        number, stops = divmod(turn, 2)
        ip = f"127.9.{number >> 8}.{number & 255}"  # nobody is there, and nothing leaves this machine
        status = "STOPPED" if stops else "RUNNING"
        event: Any = task_event(f"task-{number}", ip=ip, last_status=status, version=3 + stops)
        time.sleep(0.013 * (turn % 40))  # no step with the scheduler's own clock
        began = time.monotonic()
        handler(event, context)
        while (f"sip:{ip}:5060" in _targets(gateway)) is bool(stops):
            if time.monotonic() - began > _GIVE_UP_SECONDS:
                raise SystemExit(f"the target {ip} does not change; {gateway.log_text()[-2000:]}")
            time.sleep(0.005)
        seconds.append(time.monotonic() - began)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--changes", type=int, default=100)
    changes = parser.parse_args().changes
    if opensips.BINARY is None:
        print(f"left out: {opensips.MISSING}")
        return
    with tempfile.TemporaryDirectory(prefix="gateway-") as name:
        directory, port = Path(name), servers.free_port()
        server = servers.ecs_emulator(directory, port)
        server.start()
        try:
            server.wait_until_ready(30)
            endpoint = f"http://{servers.HOST}:{port}"
            os.environ.update({**servers.credentials(), "AWS_ENDPOINT_URL": endpoint})
            create_tables(boto3.client("dynamodb"))
            queue = boto3.client("sqs").create_queue(QueueName="switch-services")["QueueUrl"]
            os.environ.update(services_environment(queue))
            gateway = Gateway("public", directory, LoopbackNetwork().address(), {"PROBE_INTERVAL": "3600"}, ready=False)
            with Sidecar("public", directory, gateway.address, endpoint), gateway:
                seconds = _measure(gateway, changes)
        finally:
            server.stop()
    median, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]
    print(f"{changes} changes, handler called to OpenSIPS changed")
    print(f"  median {median:6.3f} s   {_RELOAD_SECONDS / 2 / median:5.0f} times sooner than a reload every 30 s")
    print(f"  p99    {p99:6.3f} s   {_RELOAD_SECONDS / p99:5.0f} times sooner than its worst case")
    print(f"  goal    1.000 s at p99: {'met' if p99 < 1 else 'MISSED'}")


if __name__ == "__main__":
    main()
