"""DynamoDB throttles a gateway's scheduler: the gateway goes on by what it has, and catches up by itself."""

import sqlite3
from pathlib import Path
from typing import Any

import boto3

from routing import Address, PutAddress, PutTaskRow, RoutingRepository, TaskStamp
from tests.containers.opensips_scheduler.conftest import target
from tests.e2e.failure_drills.conftest import note
from tests.support.faulty_aws import Fault, FaultyAws, all_of, count
from tests.support.routing_tables import NAMES
from tests.support.scheduler import Sidecar
from tests.support.waiting import until

ADDRESSES = 40


def rows(directory: Path, table: str) -> int:
    """Return how many rows OpenSIPS would read."""
    connection = sqlite3.connect(f"file:{directory / 'routing.db'}?mode=ro", uri=True)
    try:
        (number,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
        return int(number)
    finally:
        connection.close()


def test_a_gateway_starts_and_follows_while_requests_are_throttled(aws: FaultyAws, tmp_path: Path) -> None:
    # Who writes is not throttled here.
    direct: Any = boto3.client("dynamodb", endpoint_url=f"http://127.0.0.1:{aws.port}")
    repository = RoutingRepository(direct, NAMES)
    repository.write([PutAddress(Address(f"10.0.{n // 250}.{n % 250}", 1), 1) for n in range(ADDRESSES)])
    settings = {"POLL_INTERVAL": "0.1"}
    with Sidecar("public", tmp_path, "127.0.0.1", aws.url, settings) as scheduler:
        faults = {2: Fault.THROTTLED, 4: Fault.LOST, 6: Fault.THROTTLED}
        with aws.faults(lambda request: faults.get(request.number)) as requests:
            copied = until("the first copy", scheduler.is_healthy, 20)
            assert rows(tmp_path, "address") == ADDRESSES
            repository.write([PutTaskRow(target(1), TaskStamp("task-a", 3))])
            followed = until("the target", lambda: rows(tmp_path, "load_balancer") == 1, 20)
        note("a scheduler, three requests throttled or lost", copied=copied, followed=followed, **count(requests))

        with aws.faults(all_of("dynamodb", Fault.THROTTLED)) as requests:
            until("the error to be told", lambda: "journal" in scheduler.health()["errors"], 10)
            repository.write([PutTaskRow(target(2), TaskStamp("task-b", 3))])
            health = scheduler.health()
            assert (health["healthy"], rows(tmp_path, "load_balancer")) == (True, 1)
        caught_up = until("the second target", lambda: rows(tmp_path, "load_balancer") == 2, 15)
        until("the error to go", lambda: scheduler.health()["errors"].keys() <= {"opensips"}, 5)
        note("a scheduler, all throttled", caught_up=caught_up, **count(requests))
