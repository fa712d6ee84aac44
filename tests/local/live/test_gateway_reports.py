"""What gateways say: a health report, and answers that real OpenSIPS 3.6 gave (`samples/opensips_answers.json`)."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.live.calls import Dialog
from local.live.gateway_reports import (
    Management,
    TargetLoad,
    dialogs,
    gateway_row,
    proxies_in_use,
    statistics_sum,
    target_loads,
)
from local.live.rows import Gateway, Position
from local.live.sources import GatewaySource

ANSWERS = json.loads((Path(__file__).parent / "samples" / "opensips_answers.json").read_text())
SOURCE = GatewaySource("public gateway", "public", "http://127.0.0.1:8081/health", "/x/mi.sock")
REPORT: dict[str, Any] = {
    "healthy": True,
    "age_seconds": 0.312,
    "stale": False,
    "journal_lag": 2,
    "positions": {"load_balancer_targets": 23, "addresses": 14, "password": 4711},
    "skipped": [],
    "dropped": [],
    "reloads_due": [],
    "contacts_waiting": None,
    "media_proxies": [],
    "silent_event_sockets": [],
    "errors": {},
}
MANAGEMENT = Management((), (), 3, 2)


def test_a_gateway_that_serves() -> None:
    positions = (Position("addresses", 14), Position("load_balancer_targets", 23))
    expected = Gateway("public gateway", "public", "serving", 0, 2, positions, 3, 2, None, ())
    assert gateway_row(SOURCE, REPORT, MANAGEMENT) == expected


@pytest.mark.parametrize(
    ("changed", "state"),
    [({}, "serving"), ({"stale": True, "age_seconds": 75.2}, "stale"), ({"healthy": False}, "not ready")],
)
def test_its_state(changed: dict[str, Any], state: str) -> None:
    row = gateway_row(SOURCE, REPORT | changed, MANAGEMENT)
    assert row.state == state
    assert row.age == (75 if state == "stale" else 0)


def test_one_that_nobody_answers_for() -> None:
    assert gateway_row(SOURCE, None, None) == Gateway("public gateway", "public", "not reached")


def test_its_troubles_are_counted_and_named_and_their_texts_left() -> None:
    troubled = REPORT | {
        "skipped": ["subscribers user1: s3cret", "addresses x: s3cret"],
        "silent_event_sockets": ["10.0.0.1:8021"],
        "errors": {"journal": "s3cret", "S3CRET=x": "s3cret"},
    }
    row = gateway_row(SOURCE, troubled, None)
    assert row.troubles == (
        "OpenSIPS does not answer", "2 rows skipped", "1 event sockets silent", "journal: failing",
    )  # fmt: skip


def test_targets_of_real_opensips() -> None:
    found = list(target_loads(ANSWERS["lb_list"]))
    assert len(found) == 4
    assert found[0] == TargetLoad("sip:127.162.67.12:5060", 6, 144, True)


def test_dialogs_of_real_opensips_without_numbers_and_sdp() -> None:
    found = list(dialogs(ANSWERS["dlg_list"]))
    assert len(found) == 3
    assert found[0] == Dialog("3-27064@127.162.67.11", "127.162.67.13:5060", True)
    assert "85512234567" not in repr(found)


def test_dialogs_that_ring_or_have_ended() -> None:
    listed = [{"callid": str(state), "state": state, "CALLEES": []} for state in range(1, 6)]
    assert list(dialogs({"Dialogs": listed})) == [
        Dialog("1", "", False), Dialog("2", "", False), Dialog("3", "", True), Dialog("4", "", True),
    ]  # fmt: skip


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=10,
)


@given(JSON, st.dictionaries(st.sampled_from(sorted(REPORT)), JSON))
def test_whatever_they_say_is_no_error(answer: Any, report: dict[str, Any]) -> None:
    assert isinstance(
        list(target_loads(answer)) + list(target_loads({"Destinations": [answer, {"Resources": answer}]})), list
    )
    assert isinstance(list(dialogs({"Dialogs": [answer, {"callid": "x", "state": 4, "CALLEES": answer}]})), list)
    assert statistics_sum(answer) is not None
    assert isinstance(proxies_in_use(report), list)
    assert gateway_row(SOURCE, report, None).name == "public gateway"
