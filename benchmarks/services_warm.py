"""What a warm invocation of the services function costs: its own CPU time, and the AWS operations it asks for.

The handler runs against AWS emulated in this process. CPU time inside botocore's calls is counted apart, because most
of it is the emulator's. What the function's own is compared with, in the same run, is what botocore itself needs for
as many calls (serialise, sign, parse; nothing sent): an invocation cannot cost less than that.

    make bench, or python -m benchmarks.services_warm [--samples 200]
"""

import argparse
import io
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from itertools import count
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders
from moto import mock_aws

from lambdas.services.handler import handler, logger
from routing import Table
from routing.attribute_values import Value, encode
from tests.support.ecs_events import task_event
from tests.support.queue_events import DIGESTS, job, queue_event
from tests.support.routing_tables import NAMES, create_tables
from tests.support.services_environment import AWS, services_environment

CONTEXT = SimpleNamespace(
    aws_request_id="request", function_name="services", get_remaining_time_in_millis=lambda: 60_000
)


class AwsCalls:
    """Counts botocore's calls, and the CPU time of this thread that passes in them."""

    def __init__(self) -> None:
        self.operations: list[str] = []
        self.cpu_seconds = 0.0

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Count what is called meanwhile."""
        call = BaseClient._make_api_call  # type: ignore[attr-defined]

        def timed(client: Any, operation: str, parameters: Any) -> Any:
            self.operations.append(operation)
            began = time.thread_time()
            try:
                return call(client, operation, parameters)
            finally:
                self.cpu_seconds += time.thread_time() - began

        with patch.object(BaseClient, "_make_api_call", timed):
            yield


def own_cpu(events: list[Any]) -> tuple[float, list[str]]:
    """Return the median CPU milliseconds of an invocation outside AWS calls, and the operations of the last one."""
    costs = []
    for event in events:
        calls = AwsCalls()
        with calls.watch():
            began = time.thread_time()
            handler(event, CONTEXT)
            costs.append(time.thread_time() - began - calls.cpu_seconds)
    return statistics.median(costs) * 1000, calls.operations


def subscriber(name: str) -> str:
    return job("CreateOpenSIPSSubscriberJob", {"username": name, **DIGESTS})


def cases(samples: int) -> Iterator[tuple[str, list[Any], int, str]]:
    """Yield name, events, the fewest AWS operations that could do, and why we ask for more."""
    ips = (f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in count(1))
    create = [queue_event(job("CreateOpenSIPSPermissionJob", next(ips), {"group_id": 1})) for _ in range(samples)]
    read = "the read makes repeats free of writes"
    yield "queue, 1 record", create, 1, read
    ten = [queue_event(*(subscriber(f"u{n}-{k}") for k in range(10))) for n in range(samples // 4)]
    yield "queue, 10 records", ten, 1, read
    yield "queue, 1 record again", create, 1, ""
    starts = [task_event(f"t{n}", ip=next(ips)) for n in range(samples)]
    yield "task starts", starts, 2, read
    yield "task start again", starts, 1, "a lost capacity message would be lost for good"
    stops = [
        {**event, "detail": {**event["detail"], "desiredStatus": "STOPPED", "version": 4}} for event in starts[-20:]
    ]
    yield "task stops", stops, 3, read
    dial = {"client_identifier": "user1", "destination": "016701722"}
    action = {"serviceAction": "BuildClientGatewayDialString", "parameters": dial}
    yield "dial string", [action] * samples, 1, ""


class _Nothing:
    """The body of an answer without content."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield b"{}"


def botocore_call_cpu(samples: int) -> float:
    """Return the median CPU milliseconds of one DynamoDB transaction's request, answered without being sent."""
    client = boto3.client("dynamodb")
    answer: Any = lambda request, **_: AWSResponse(request.url, 200, HTTPHeaders(), _Nothing())  # noqa: E731
    client.meta.events.register("before-send.dynamodb", answer)
    put = {"Put": {"TableName": "addresses", "Item": encode({"source_ip": "10.0.0.1", "group_id": 1})}}
    costs = []
    for _ in range(samples):
        began = time.thread_time()
        client.transact_write_items(TransactItems=[put, put, put])  # type: ignore[list-item]
        costs.append(time.thread_time() - began)
    return statistics.median(costs) * 1000


def set_up() -> None:
    """Make the tables with one registered client, and the queue."""
    client = boto3.client("dynamodb")
    create_tables(client)
    now = int(time.time())
    contact = {"contact": "sip:user1@45.118.77.153:1634", "socket": "udp:10.10.0.20:6060", "gateway": "g"}
    item: dict[str, Value] = {
        "username": "user1",
        "contact_id": "c",
        **contact,
        "last_modified": now,
        "expires": now + 3600,
    }
    client.put_item(TableName=NAMES[Table.REGISTRATIONS], Item=encode(item))
    os.environ |= services_environment(boto3.client("sqs").create_queue(QueueName="switch-services")["QueueUrl"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--samples", type=int, default=200)
    samples = parser.parse_args().samples
    os.environ |= AWS
    logger.registered_handler.stream = io.StringIO()  # type: ignore[attr-defined]
    bare = botocore_call_cpu(samples)
    print(f"botocore itself needs {bare:.2f} ms of CPU for a call\n")
    print(f"{'':24}{'own CPU':>9}{'of botocore':>13}   AWS operations (fewest possible)")
    with mock_aws():
        set_up()
        with redirect_stdout(io.StringIO()):
            handler(task_event("warm", ip="10.255.0.1"), CONTEXT)
        for name, events, fewest, reason in cases(samples):
            with redirect_stdout(io.StringIO()):
                own, operations = own_cpu(events)
            asked = f"{len(operations)} ({fewest}): {' '.join(operations)}" + (f"; {reason}" if reason else "")
            print(f"{name:24}{own:6.2f} ms{own / (bare * len(operations)):11.1f} x   {asked}")


if __name__ == "__main__":
    main()
