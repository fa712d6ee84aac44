"""How far gateways are behind the journal, by what each says of itself."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import boto3
import pytest

from opensips_scheduler.health import HealthServer
from routing import Address, PutAddress, RoutingRepository, Table
from tests.containers.switch_operator.conftest import Operator
from tests.fakes.quiet_server import ServedFake
from tests.support.routing_tables import NAMES

Write = Callable[..., None]


@contextmanager
def health(**values: Any) -> Iterator[str]:
    """A scheduler's own health server with a report."""
    report = {"healthy": True, "age_seconds": 0.3, "stale": False, "journal_lag": 0, "positions": {}} | values
    server = HealthServer(0, lambda: report)
    server.start()
    try:
        yield f"http://127.0.0.1:{server.port}/health"
    finally:
        server.stop()


def put(*numbers: int) -> list[PutAddress]:
    return [PutAddress(Address(f"10.0.0.{number}", 1), 1) for number in numbers]


def test_a_gateway_that_keeps_up(operator: Operator, write: Write) -> None:
    write(*put(1, 2, 3))
    with health(positions={"addresses": 3, "load_balancer_targets": 0}) as url:
        document = operator.json("journal", "--health", url)
        assert "keeps up" in operator("journal", "--health", url).out
    assert document["tables"]["addresses"]["head"] == 3
    assert abs(document["tables"]["addresses"]["last_change"] - time.time()) < 10
    assert document["tables"]["domains"] == {"head": 0, "last_change": None}
    (gateway,) = document["gateways"]
    assert gateway["tables"] == {
        "load_balancer_targets": {"position": 0, "changes_behind": 0},
        "addresses": {"position": 3, "changes_behind": 0},
    }


def test_a_change_of_just_now_is_no_trouble_and_one_that_waits_is(operator: Operator, write: Write) -> None:
    old = RoutingRepository(boto3.client("dynamodb"), NAMES, clock=lambda: time.time() - 600)
    old.write(put(1))
    write(*put(2))
    with health(positions={"addresses": 1}) as url:
        (gateway,) = operator.json("journal", "--health", url)["gateways"]
        assert (gateway["tables"]["addresses"]["changes_behind"], gateway["trouble"]) == (1, None)
    # It cannot reach AWS, so it knows of no lag.
    with health(positions={"addresses": 0}, journal_lag=0) as url:
        (gateway,) = operator.json("journal", "--health", url, status=1)["gateways"]
        assert gateway["trouble"] == "2 changes behind in addresses"


def test_stale_data_is_trouble_whatever_the_position_is(operator: Operator) -> None:
    with health(stale=True, age_seconds=75.0) as url:
        assert "its data is stale: 75 s old" in operator("journal", "--health", url, status=1).out
    with health(stale=True, age_seconds=None, healthy=False) as url:
        assert "its data is stale" in operator("journal", "--health", url, status=1).out


class NotAScheduler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = {"/text": b"hello", "/object": b"{}"}.get(self.path, b"")
        self.send_response(200 if content else 404)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_what_does_not_answer_as_a_scheduler_is_said_with_its_url(operator: Operator, tmp_path: Path) -> None:
    secret = tmp_path / "report.json"
    secret.write_text(json.dumps({"positions": {}, "stale": False, "age_seconds": 1}))
    with ServedFake(NotAScheduler) as served:
        urls = [
            f"{served.url}/text",
            f"{served.url}/object",
            f"{served.url}/none",
            "http://127.0.0.1:9/",
            secret.as_uri(),
        ]
        operator.environment["GATEWAY_HEALTH_URLS"] = " ".join(urls)
        gateways = operator.json("journal", status=1)["gateways"]
    assert [gateway["gateway"] for gateway in gateways] == urls
    assert all(gateway["trouble"].startswith("does not answer: ") for gateway in gateways)


def metric(name: str, value: float, *, gateway: str, minutes_ago: float = 1, **dimensions: str) -> None:
    """Put a metric as a scheduler's log line becomes one."""
    named = {"gateway_kind": "public", "gateway_name": gateway, **dimensions}
    boto3.client("cloudwatch").put_metric_data(
        Namespace="SomlengSWITCH",
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": [{"Name": key, "Value": each} for key, each in named.items()],
                "Timestamp": datetime.now(UTC) - timedelta(minutes=minutes_ago),
                "Value": value,
            }
        ],
    )


def test_gateways_are_read_from_cloudwatch(operator: Operator, write: Write) -> None:
    old = RoutingRepository(boto3.client("dynamodb"), NAMES, clock=lambda: time.time() - 900)
    old.write(put(1, 2))
    for gateway, position in (("203.0.113.1", 2.0), ("203.0.113.2", 1.0)):
        metric("DataStale", 0, gateway=gateway)
        metric("DataAge", 0.4, gateway=gateway)
        metric("JournalPosition", 1, gateway=gateway, table="addresses", minutes_ago=5)
        metric("JournalPosition", position, gateway=gateway, table="addresses")
    for name in ("DataStale", "DataAge"):
        metric(name, 1, gateway="203.0.113.3", minutes_ago=40)  # it is gone
    gateways = operator.json("journal", status=1)["gateways"]
    assert [(each["gateway"], each["asked"], each["trouble"]) for each in gateways] == [
        ("public 203.0.113.1", "CloudWatch", None),
        ("public 203.0.113.2", "CloudWatch", "1 changes behind in addresses"),
    ]
    assert gateways[0]["tables"] == {"addresses": {"position": 2, "changes_behind": 0}}


def test_no_gateway_at_all_is_said(operator: Operator) -> None:
    assert "no gateway is known" in operator("journal").out


def test_a_position_that_the_journal_has_forgotten_is_late(operator: Operator, write: Write) -> None:
    write(*put(1, 2, 3))
    key = {"table": {"S": Table.ADDRESSES.value}, "seq": {"N": "2"}}
    boto3.client("dynamodb").delete_item(TableName=NAMES[Table.ROUTING_CHANGES], Key=key)
    with health(positions={"addresses": 1}) as url:
        assert "2 changes behind in addresses" in operator("journal", "--health", url, status=1).out


@pytest.mark.parametrize("healthy", [True, False])
def test_a_scheduler_that_is_not_ready_tells_its_report_all_the_same(operator: Operator, *, healthy: bool) -> None:
    with health(healthy=healthy, positions={"domains": 0}) as url:
        assert operator.json("journal", "--health", url)["gateways"][0]["tables"]["domains"]["position"] == 0
