"""Messages of the platform's queue, through the handler, into the addresses and subscribers tables."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing import Table
from tests.lambdas.services.conftest import Services
from tests.support.queue_events import DIGESTS, failed, job, queue_event
from tests.support.routing_tables import NAMES, all_rows, clear, client, journal, rows

IP = "165.57.32.1"
SUBSCRIBER = {"username": "user1", **DIGESTS}


def address(ip: str = IP, group_id: int | None = 1) -> str:
    return job("CreateOpenSIPSPermissionJob", ip, *([] if group_id is None else [{"group_id": group_id}]))


def addresses() -> dict[Any, Any]:
    return {row["source_ip"]: row["group_id"] for row in rows(Table.ADDRESSES)}


def usernames() -> list[Any]:
    return [row["username"] for row in rows(Table.SUBSCRIBERS)]


# --- each job class


def test_a_permission_is_created(services: Services) -> None:
    assert services(queue_event(address())) == {"batchItemFailures": []}
    assert addresses() == {IP: 1}


@pytest.mark.parametrize("arguments", [[IP], [IP, {}], [IP, None]])
def test_a_permission_without_a_group_belongs_to_group_0(services: Services, arguments: list[Any]) -> None:
    services(queue_event(job("CreateOpenSIPSPermissionJob", *arguments)))
    assert addresses() == {IP: 0}


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("10.0.0.0/24", "10.0.0.0/24"),
        ("2001:db8::/32", "2001:db8::/32"),
    ],
)
def test_a_permission_is_stored_in_one_spelling(services: Services, given: str, stored: str) -> None:
    services(queue_event(address(given)))
    assert addresses() == {stored: 1}


def test_of_two_creations_the_one_sent_last_says_the_group(services: Services) -> None:
    """The deletion between them may come later than both, and must find nothing to undo."""
    services(queue_event(address(group_id=1), sent_at=[30]))
    services(queue_event(address(group_id=2), sent_at=[10]))
    services(queue_event(job("DeleteOpenSIPSPermissionJob", IP), sent_at=[20]))
    assert addresses() == {IP: 1}


def test_a_permission_is_deleted(services: Services) -> None:
    services(queue_event(address(), sent_at=[1]))
    services(queue_event(job("DeleteOpenSIPSPermissionJob", IP), sent_at=[2]))
    assert addresses() == {}


def test_a_permissions_group_is_updated(services: Services) -> None:
    services(queue_event(address(group_id=2), sent_at=[1]))
    services(queue_event(job("UpdateOpenSIPSPermissionJob", IP, {"group_id": 1}), sent_at=[2]))
    assert addresses() == {IP: 1}


def test_updating_a_permission_that_is_not_there_creates_none(services: Services) -> None:
    assert services(queue_event(job("UpdateOpenSIPSPermissionJob", IP, {"group_id": 1}))) == {"batchItemFailures": []}
    assert addresses() == {}


def test_a_subscriber_is_created_with_the_digests_it_came_with(services: Services) -> None:
    services(queue_event(job("CreateOpenSIPSSubscriberJob", SUBSCRIBER)))
    (row,) = rows(Table.SUBSCRIBERS)
    assert row == {
        "username": "user1",
        "ha1": DIGESTS["md5_password"],
        "ha1_sha256": DIGESTS["sha256_password"],
        "ha1_sha512t256": DIGESTS["sha512_password"],
    }


def test_a_subscriber_is_deleted(services: Services) -> None:
    services(queue_event(job("CreateOpenSIPSSubscriberJob", SUBSCRIBER), sent_at=[1]))
    services(queue_event(job("DeleteOpenSIPSSubscriberJob", {"username": "user1"}), sent_at=[2]))
    assert usernames() == []


@pytest.mark.parametrize(
    "body",
    [job("DeleteOpenSIPSPermissionJob", IP), job("DeleteOpenSIPSSubscriberJob", {"username": "user1"})],
)
def test_deleting_what_is_not_there_is_no_error(services: Services, body: str) -> None:
    assert services(queue_event(body)) == {"batchItemFailures": []}


# --- a batch


def test_a_whole_batch_is_one_read_and_one_transaction(services: Services) -> None:
    bodies = [address(f"165.57.32.{index}") for index in range(6)]
    bodies += [job("CreateOpenSIPSSubscriberJob", {**SUBSCRIBER, "username": f"user{index}"}) for index in range(4)]
    with services.requests() as requests:
        services(queue_event(*bodies))
    assert requests == ["TransactGetItems", "TransactWriteItems"]
    assert (len(addresses()), len(usernames())) == (6, 4)
    assert journal(Table.ADDRESSES)[0] == 6
    assert journal(Table.SUBSCRIBERS)[0] == 4


def test_a_batch_that_was_delivered_before_costs_one_read(services: Services) -> None:
    event = queue_event(address(), job("CreateOpenSIPSSubscriberJob", SUBSCRIBER))
    services(event)
    with services.requests() as requests:
        services(event)
    assert requests == ["TransactGetItems"]
    assert journal(Table.ADDRESSES)[0] == 1


def test_jobs_about_one_key_in_one_batch_end_as_they_were_sent(services: Services) -> None:
    delete = job("DeleteOpenSIPSPermissionJob", IP)
    services(queue_event(delete, address(group_id=2), address(group_id=1), sent_at=[20, 30, 10]))
    assert addresses() == {IP: 2}
    assert journal(Table.ADDRESSES)[0] == 1


def test_a_message_delivered_late_does_not_undo_a_newer_one(services: Services) -> None:
    services(queue_event(job("DeleteOpenSIPSSubscriberJob", {"username": "user1"}), sent_at=[2]))
    services(queue_event(job("CreateOpenSIPSSubscriberJob", SUBSCRIBER), sent_at=[1]))
    assert usernames() == []


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_repetition_and_batching_of_messages_ends_as_they_were_sent(
    services: Services, data: st.DataObject
) -> None:
    clear(Table.SUBSCRIBERS, Table.ROUTING_CHANGES)
    kinds = data.draw(st.lists(st.booleans(), min_size=1, max_size=5))
    sent = [
        (job("CreateOpenSIPSSubscriberJob" if create else "DeleteOpenSIPSSubscriberJob", SUBSCRIBER), 1_000 + index)
        for index, create in enumerate(kinds)
    ]
    delivered = data.draw(st.permutations(sent + data.draw(st.lists(st.sampled_from(sent), max_size=3))))
    while delivered:
        size = data.draw(st.integers(1, len(delivered)))
        batch, delivered = delivered[:size], delivered[size:]
        assert services(queue_event(*(body for body, _ in batch), sent_at=[at for _, at in batch])) == {
            "batchItemFailures": []
        }
    assert usernames() == (["user1"] if kinds[-1] else [])


# --- messages that cannot be done fail alone


BROKEN = {
    "no JSON": ("{job_class", "not JSON"),
    "no object": ('["CreateOpenSIPSPermissionJob"]', "not a JSON object"),
    "no class": ("{}", "job_class"),
    "unknown class": (job("DropTablesJob"), "DropTablesJob"),
    "a class of Python's": (job("__import__"), "__import__"),
    "arguments no list": ('{"job_class": "DeleteOpenSIPSPermissionJob", "job_args": {}}', "job_args"),
    "no arguments": ('{"job_class": "DeleteOpenSIPSPermissionJob"}', "the address"),
    "no address": (job("CreateOpenSIPSPermissionJob", "example.org"), "example.org"),
    "an address that is a number": (job("CreateOpenSIPSPermissionJob", 1), "source_ip"),
    "a network with host bits": (job("CreateOpenSIPSPermissionJob", "10.0.0.1/33"), "10.0.0.1/33"),
    "a group that is a text": (job("CreateOpenSIPSPermissionJob", "10.0.0.1", {"group_id": "one"}), "group_id"),
    "a group that no gateway can hold": (
        job("CreateOpenSIPSPermissionJob", "10.0.0.1", {"group_id": 2**31}),
        "group_id is 2147483648",
    ),
    "an update without a group": (job("UpdateOpenSIPSPermissionJob", "10.0.0.1", {}), "group_id"),
    "a subscriber without digests": (job("CreateOpenSIPSSubscriberJob", {"username": "user9"}), "md5_password"),
    "a digest that is none": (
        job("CreateOpenSIPSSubscriberJob", {**SUBSCRIBER, "md5_password": "hunter2"}),
        "ha1",
    ),
    "a subscriber without a name": (job("CreateOpenSIPSSubscriberJob", DIGESTS), "username"),
    "a deletion without a name": (job("DeleteOpenSIPSSubscriberJob", {}), "username"),
    "a capacity change without a region": (job("NotifySwitchCapacityChangeJob", {"cluster": "c"}), "region"),
    "a capacity change in an unknown region": (
        job("NotifySwitchCapacityChangeJob", {"region": "mars-north-1", "cluster": "c", "family": "switch"}),
        "mars-north-1",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_message_fails_alone_and_the_log_says_why(services: Services, name: str) -> None:
    body, reason = BROKEN[name]
    response = services(queue_event(address("10.1.1.1"), body, address("10.1.1.2")))
    assert failed(response) == ["m1"]
    assert addresses() == {"10.1.1.1": 1, "10.1.1.2": 1}
    (line,) = [line for line in services.log if line.get("message") == "message failed"]
    assert line["message_id"] == "m1"
    assert reason in line["reason"]


def test_a_batch_of_nothing_but_broken_messages_reports_each(services: Services) -> None:
    assert failed(services(queue_event("x", "y"))) == ["m0", "m1"]


def test_a_message_without_a_body_fails_alone(services: Services) -> None:
    event = queue_event(address(), address("10.1.1.2"))
    del event["Records"][0]["body"]
    assert failed(services(event)) == ["m0"]
    assert addresses() == {"10.1.1.2": 1}


def test_rows_that_cannot_be_written_fail_their_messages_and_no_other(services: Services) -> None:
    client().delete_table(TableName=NAMES[Table.SUBSCRIBERS])
    response = services(queue_event(job("CreateOpenSIPSSubscriberJob", SUBSCRIBER), "broken"))
    assert failed(response) == ["m0", "m1"]


# --- secrets


def test_digests_reach_no_log_no_answer_and_no_table_but_subscribers(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "5ec2e7" * 5
    bodies = [
        job("CreateOpenSIPSSubscriberJob", SUBSCRIBER),
        job("CreateOpenSIPSSubscriberJob", {**SUBSCRIBER, "username": "user2", "md5_password": secret}),
        job("CreateOpenSIPSSubscriberJob", {**SUBSCRIBER, "username": "", "sha256_password": secret}),
        job("CreateOpenSIPSSubscriberJob", [SUBSCRIBER]),
        job("NoSuchJob", SUBSCRIBER),
        json.dumps({"job_class": [secret], "job_args": [SUBSCRIBER]}),
        json.dumps({"job_class": "CreateOpenSIPSPermissionJob", "job_args": [{"password": secret}]}),
        f'{{"job_class": "CreateOpenSIPSSubscriberJob", "{secret}',
    ]
    response = services(queue_event(*bodies))
    assert failed(response) == [f"m{index}" for index in range(1, 8)]
    written = capsys.readouterr()
    shown = written.out + written.err + json.dumps(response) + json.dumps(services.log)
    others = [row for table in Table if table is not Table.SUBSCRIBERS for row in all_rows(table)]
    for value in [*DIGESTS.values(), secret]:
        assert value not in shown
        assert value not in str(others)


# --- a message that was sent again, out of the dead-letter queue


def sent_again(body: str, sent_at: int, first_sent: str) -> dict[str, Any]:
    event = queue_event(body, sent_at=[sent_at])
    attribute = {"stringValue": first_sent, "dataType": "Number", "stringListValues": [], "binaryListValues": []}
    event["Records"][0]["messageAttributes"] = {"FirstSentTimestamp": attribute}
    return event


def test_it_is_as_old_as_what_it_says(services: Services) -> None:
    services(queue_event(job("DeleteOpenSIPSPermissionJob", IP), sent_at=[2_000]))
    assert services(sent_again(address(), 9_000, "1000")) == {"batchItemFailures": []}
    assert addresses() == {}
    services(sent_again(address(), 9_000, "3000"))
    assert addresses() == {IP: 1}


def test_it_cannot_be_newer_than_it_is(services: Services) -> None:
    services(sent_again(address(), 1_000, "9000"))
    services(queue_event(job("DeleteOpenSIPSPermissionJob", IP), sent_at=[2_000]))
    assert addresses() == {}


@pytest.mark.parametrize("first_sent", ["", "yesterday", "-1", "1.5", "\u0661"])
def test_a_time_that_is_none_fails_the_message_alone(services: Services, first_sent: str) -> None:
    assert failed(services(sent_again(address(), 1_000, first_sent))) == ["m0"]
    assert addresses() == {}
    assert "FirstSentTimestamp is no time" in str(services.log)
