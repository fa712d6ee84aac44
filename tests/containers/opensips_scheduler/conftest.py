"""Fixtures of the scheduler's tests: routing tables on an emulated DynamoDB, and a file as OpenSIPS reads it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opensips_scheduler.errors import Unreachable
from opensips_scheduler.follower import Follower
from opensips_scheduler.reloads import Reloads
from opensips_scheduler.routing_database import RoutingDatabase
from opensips_scheduler.rows import SQL_TABLES, RowBuilder
from routing import LoadBalancerTarget, RoutingReader, RoutingRepository
from tests.support.routing_tables import NAMES

PASSWORD = "ClueCon"
RELOADS = ("lb_reload", "address_reload", "domain_reload")


class Commands:
    """OpenSIPS's management interface, as far as the follower uses it: it takes commands, or is not there."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.reachable = True
        self.up_since = "Mon"

    def call(self, method: str, parameters: dict[str, Any] | None = None) -> Any:
        if not self.reachable:
            raise Unreachable(f"{method}: no answer")
        if method == "uptime":
            return {"Up since": self.up_since}
        self.called.append(method)
        return "OK"

    def take(self) -> list[str]:
        called, self.called = self.called, []
        return called


@pytest.fixture
def repository(dynamodb: Any) -> RoutingRepository:
    """The tables as the services function writes them."""
    return RoutingRepository(dynamodb, NAMES)


@pytest.fixture
def reader(dynamodb: Any) -> RoutingReader:
    """The tables as gateways read them."""
    return RoutingReader(dynamodb, NAMES)


@pytest.fixture
def commands() -> Commands:
    return Commands()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[RoutingDatabase]:
    opened = RoutingDatabase(tmp_path / "routing.db", RowBuilder(PASSWORD))
    yield opened
    opened.close()


@pytest.fixture
def reloads(commands: Commands) -> Reloads:
    """What is due at the start, every reload, has been run."""
    made = Reloads(commands, RELOADS)
    made.run()
    commands.take()
    return made


@pytest.fixture
def follower(reader: RoutingReader, database: RoutingDatabase, reloads: Reloads) -> Follower:
    """A follower that has copied the empty tables."""
    made = Follower(reader, database, reloads, tuple(SQL_TABLES))
    made.compare()
    return made


def target(number: int, **changes: Any) -> LoadBalancerTarget:
    values: dict[str, Any] = {
        "dst_uri": f"sip:10.0.0.{number}:5060",
        "group_id": 1,
        "resource": "gw",
        "event_socket": f"10.0.0.{number}:8021",
        "probe_mode": 2,
        "region": "ap-southeast-1",
    }
    return LoadBalancerTarget(**{**values, **changes})
