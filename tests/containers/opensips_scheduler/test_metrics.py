"""What is counted comes out as lines of the embedded metric format."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from opensips_scheduler.errors import ManagementError
from opensips_scheduler.metrics import UNITS, GatewayMetrics
from opensips_scheduler.opensips_statistics import STATISTICS, RefusedCalls
from opensips_scheduler.settings import Kind
from opensips_scheduler.state import State
from routing import Table

DOCUMENT = Path(__file__).parents[3] / "docs" / "gateways.md"

STATE = State(
    ready=True,
    age=1.25,
    journal_lag=3,
    positions={Table.SUBSCRIBERS: 9},
    rows={Table.LOAD_BALANCER_TARGETS: 4, Table.SUBSCRIBERS: 5},
    skipped={(Table.DOMAINS, "two words"): "no host name"},
    former_targets=2,
    dropped={Table.DOMAINS: frozenset({("b", ""), ("a", "")}), Table.MEDIA_PROXIES: frozenset({("udp:x", "set 0")})},
    reloads_due=("lb_reload",),
    reload_seconds={"lb_reload": 0.5},
    contacts_waiting=6,
    media_proxies={"udp:10.0.1.2:2223"},
    silent_event_sockets={"10.0.0.1:8021"},
    errors={"opensips": "no answer"},
)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_names_its_dimensions_and_units(capsys: pytest.CaptureFixture[str]) -> None:
    GatewayMetrics(Kind.CLIENT, "203.0.113.7", "clients").publish({"ReloadTime": 0.5}, command="lb_reload")
    (line,) = lines(capsys)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "SomlengSWITCH"
    assert directive["Metrics"] == [{"Name": "ReloadTime", "Unit": "Seconds"}]
    assert [set(each) for each in directive["Dimensions"]] == [
        {"ServiceName", "gateway_kind", "gateway_name", "command"}
    ]
    assert line["ServiceName"] == "clients"
    assert (line["gateway_kind"], line["gateway_name"], line["command"]) == ("client", "203.0.113.7", "lb_reload")
    assert line["ReloadTime"] == [0.5]


def test_what_is_of_the_whole_gateway_is_there_for_its_service_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Alarms have to know every dimension, and a gateway's name is known when it runs."""
    GatewayMetrics(Kind.CLIENT, "203.0.113.7", "clients").publish({"DataAge": 0.5})
    (line,) = lines(capsys)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["ServiceName", "gateway_kind", "gateway_name"], ["ServiceName"]]
    assert (line["ServiceName"], line["gateway_name"]) == ("clients", "203.0.113.7")


def test_metrics_of_one_line_do_not_come_again_with_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = GatewayMetrics(Kind.PUBLIC, "a", "carriers")
    metrics.row_skipped(Table.ADDRESSES)
    metrics.row_dropped(Table.DOMAINS)
    metrics.publish({})
    first, second = lines(capsys)
    assert (first["RowSkipped"], first["table"]) == ([1], "addresses")
    assert (second["RowDropped"], second["table"], "RowSkipped" in second) == ([1], "domains", False)


def test_everything_of_a_state_is_counted() -> None:
    found = [(name, value, dimensions) for values, dimensions in STATE.metrics() for name, value in values.items()]
    assert ("RowsDropped", 3, {}) in found
    assert ("RowsSkipped", 1, {}) in found
    assert ("Rows", 5, {"table": "subscribers"}) in found
    assert ("JournalPosition", 9, {"table": "subscribers"}) in found
    assert ("ReloadTime", 0.5, {"command": "lb_reload"}) in found
    names = {name for name, _, _ in found}
    at_once = {"RowSkipped", "RowDropped"}
    counted = {metric for each in STATISTICS.values() for metric in each.values()}
    assert names | at_once | counted == set(UNITS)


def test_every_metric_is_described() -> None:
    text = DOCUMENT.read_text()
    assert [name for name in UNITS if f"`{name}`" not in text] == []


def test_the_report_names_what_was_dropped() -> None:
    report = STATE.report()
    assert report["dropped"] == ["domains a", "domains b", "media_proxies udp:x set 0"]
    assert (report["healthy"], report["stale"], report["age_seconds"]) == (True, False, 1.25)
    assert json.loads(json.dumps(report)) == report


class Counting:
    """An OpenSIPS that counts."""

    def __init__(self, **counters: int) -> None:
        self.counters = counters

    def call(self, method: str, parameters: dict[str, Any] | None = None) -> Any:
        assert (method, parameters) == ("get_statistics", {"statistics": list(STATISTICS[Kind.PUBLIC])})
        return {f"script:{name}": value for name, value in self.counters.items()}


def test_counters_become_what_was_counted_since() -> None:
    opensips = Counting(calls_without_switch=2, requests_refused=0)
    refused = RefusedCalls(opensips, Kind.PUBLIC)
    assert refused.take() == {"CallsWithoutSwitch": 2, "RequestsRefused": 0}
    opensips.counters = {"calls_without_switch": 5, "requests_refused": 1}
    assert refused.take() == {"CallsWithoutSwitch": 3, "RequestsRefused": 1}
    assert refused.take() == {"CallsWithoutSwitch": 0, "RequestsRefused": 0}
    opensips.counters = {"calls_without_switch": 1, "requests_refused": 0}  # OpenSIPS was started anew
    assert refused.take() == {"CallsWithoutSwitch": 1, "RequestsRefused": 0}


def test_a_counter_that_opensips_does_not_know_is_named() -> None:
    with pytest.raises(ManagementError, match="requests_refused"):
        RefusedCalls(Counting(calls_without_switch=1), Kind.PUBLIC).take()


def test_a_line_is_one_write_so_that_no_other_thread_s_comes_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr("sys.stdout", SimpleNamespace(write=written.append, flush=lambda: None))
    GatewayMetrics(Kind.CLIENT, "203.0.113.7", "clients").publish({"ReloadTime": 0.5}, command="lb_reload")
    (line,) = written
    assert line.endswith("}\n")
