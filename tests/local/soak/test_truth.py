"""What should be in the tables, and what is different."""

import pytest

from local.soak.parties import digests
from local.soak.truth import Truth, differences
from routing import Table
from tests.support.queue_events import DIGESTS


def test_a_switch_has_two_targets_while_it_runs() -> None:
    truth = Truth()
    truth.switch_runs("switch-1", "10.1.1.1")
    assert truth.rows(Table.LOAD_BALANCER_TARGETS) == {
        "sip:10.1.1.1:5060": "group 1, gw",
        "sip:10.1.1.1:5080": "group 1, gwalt",
    }
    truth.switch_ends("switch-1")
    assert truth.rows(Table.LOAD_BALANCER_TARGETS) == {}


def test_the_last_job_of_an_address_or_client_counts() -> None:
    truth = Truth()
    truth.permit("10.1.0.1", 1)
    truth.permit("10.1.0.1", 2)
    truth.permit("10.1.0.2", 1)
    truth.forbid("10.1.0.2")
    truth.forbid("10.1.0.3")
    truth.subscribe("one", "digest")
    truth.subscribe("two", "digest")
    truth.unsubscribe("two")
    assert truth.rows(Table.ADDRESSES) == {"10.1.0.1": "group 2"}
    assert truth.rows(Table.SUBSCRIBERS) == {"one": "digest"}


def test_proxies_and_gateways_are_known_by_their_addresses() -> None:
    truth = Truth()
    truth.media_proxies["arn"] = "10.1.1.2"
    truth.gateways["arn"] = ["10.1.1.3", "192.0.2.1"]
    assert truth.rows(Table.MEDIA_PROXIES) == {"udp:10.1.1.2:2223": ""}
    assert set(truth.rows(Table.DOMAINS)) == {"10.1.1.3", "192.0.2.1"}


def test_nothing_is_known_of_other_tables() -> None:
    with pytest.raises(KeyError):
        Truth().rows(Table.REGISTRATIONS)


def test_differences_name_each_row() -> None:
    assert differences({"a": "1", "b": "1"}, {"a": "1", "b": "1"}) == []
    assert differences({"a": "1", "b": "1"}, {"b": "2", "c": "1"}) == [
        "a is missing",
        "c should not be there",
        "b has 2, not 1",
    ]


def test_digests_are_those_that_the_platform_sends() -> None:
    assert digests("user1") == DIGESTS
