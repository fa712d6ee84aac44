"""Dead letters: what each would do now, and what becomes of it; nothing that was done since is undone."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas.services.jobs import parse_job
from routing import Address, DeleteAddress, PutAddress, RoutingReader, RoutingRepository, SetAddressGroup, Table
from switch_operator import dead_letters
from switch_operator.deployment import Place
from switch_operator.queue_messages import QueueMessage
from tests.containers.switch_operator.conftest import LOG_GROUPS, SERVICES, Operator
from tests.support.queue_events import DIGESTS, job
from tests.support.queue_poller import QueuePoller
from tests.support.routing_tables import NAMES

IP = "203.0.113.7"
CREATE = job("CreateOpenSIPSPermissionJob", IP, {"group_id": 1})
DELETE = job("DeleteOpenSIPSPermissionJob", IP)
SUBSCRIBER = job("CreateOpenSIPSSubscriberJob", {"username": "user1", **DIGESTS})

JOB_CLASSES = (
    "CreateOpenSIPSPermissionJob",
    "UpdateOpenSIPSPermissionJob",
    "DeleteOpenSIPSPermissionJob",
    "CreateOpenSIPSSubscriberJob",
    "DeleteOpenSIPSSubscriberJob",
    "NotifySwitchCapacityChangeJob",
)

Write = Callable[..., None]


def dead_letter(operator: Operator, body: str) -> str:
    """Leave a dead letter and return its id."""
    sent = boto3.client("sqs").send_message(QueueUrl=operator.queues[Place.DEAD_LETTERS], MessageBody=body)
    time.sleep(0.002)  # what was sent in one millisecond has no order
    return str(sent["MessageId"])


def bodies(operator: Operator, place: Place) -> list[str]:
    """Return what lies in a queue, which stays there."""
    url, sqs = operator.queues[place], boto3.client("sqs")
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
    return [message["Body"] for message in messages]


def work_off(operator: Operator) -> None:
    """Let the services function work off its queue."""
    poller = QueuePoller(boto3.client("sqs"), operator.queues[Place.QUEUE], 3, operator.queues[Place.DEAD_LETTERS])
    while poller.poll(operator.functions.functions[SERVICES]):
        pass


def addresses(reader: RoutingReader) -> dict[str, int]:
    records = reader.snapshot(Table.ADDRESSES).records.values()
    return {record.source_ip: record.group_id for record in records if isinstance(record, Address)}


def now() -> int:
    return int(time.time() * 1000)


def test_letters_are_listed_with_their_reasons_and_without_their_bodies(operator: Operator) -> None:
    sqs = boto3.client("sqs")
    url = operator.queues[Place.QUEUE]
    QueuePoller(sqs, url, 1, operator.queues[Place.DEAD_LETTERS])
    # Each is handed over once, fails in the function itself, and becomes a dead letter with its reason in the log.
    for body in (job("CreateOpenSIPSPermissionJob"), '{"job_class"', job("DropTables", "now")):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    work_off(operator)
    sent_at = now()
    events = [{"timestamp": sent_at, "message": line} for line in operator.log.getvalue().splitlines()]
    boto3.client("logs").put_log_events(
        logGroupName=LOG_GROUPS[SERVICES],
        logStreamName="one",
        logEvents=[*events, {"timestamp": sent_at, "message": "START"}],
    )
    dead_letter(operator, SUBSCRIBER)
    document = operator.json("dead-letters", "list")
    found = {(each["job_class"], each["key"], each["reason"], each["effect"]) for each in document["dead_letters"]}
    assert found == {
        ("malformed", None, "CreateOpenSIPSPermissionJob: job_args[0], the address, is missing", "malformed"),
        (
            "malformed",
            None,
            "the body is not JSON: Expecting ':' delimiter: line 1 column 13 (char 12)",
            "malformed",
        ),
        ("malformed", None, f"job class 'DropTables' is not one of {', '.join(JOB_CLASSES)}", "malformed"),
        ("CreateOpenSIPSSubscriberJob", "user1", None, "changes"),
    }
    assert [each["receives"] for each in document["dead_letters"] if each["key"] == "user1"] == [1]
    shown = operator("dead-letters", "list")
    assert "4 dead letters" in shown.out
    text = json.dumps(document) + shown.out + shown.err
    assert not [digest for digest in DIGESTS.values() if digest in text]


def test_looking_leaves_every_letter_where_others_see_it(operator: Operator) -> None:
    sent = {dead_letter(operator, job("DeleteOpenSIPSPermissionJob", f"10.0.0.{number}")) for number in range(25)}
    for _ in range(2):
        listed = operator.json("dead-letters", "list")["dead_letters"]
        assert {each["message_id"] for each in listed} == sent
    assert {each["receives"] for each in listed} == {2}


def test_a_letter_is_sent_again_and_does_what_it_says(operator: Operator, reader: RoutingReader) -> None:
    message = dead_letter(operator, CREATE)
    said = operator.json("dead-letters", "redrive", message, "--yes")["dead_letters"]
    assert [(each["fate"], each["key"]) for each in said] == [("sent again", IP)]
    assert bodies(operator, Place.DEAD_LETTERS) == []
    work_off(operator)
    assert addresses(reader) == {IP: 1}


def test_what_is_of_the_past_is_kept_and_said(operator: Operator, reader: RoutingReader, write: Write) -> None:
    dead_letter(operator, CREATE)
    write(DeleteAddress(IP, now()))
    said = operator("dead-letters", "redrive", "--all", "--yes", status=1).out
    assert "of the past" in said
    assert "0 done, 1 kept" in said
    assert bodies(operator, Place.QUEUE) == []
    assert bodies(operator, Place.DEAD_LETTERS) == [CREATE]


def test_what_is_of_the_past_counts_as_sent_now_when_it_is_forced(
    operator: Operator, reader: RoutingReader, write: Write
) -> None:
    older = dead_letter(operator, CREATE)
    later = dead_letter(operator, job("CreateOpenSIPSPermissionJob", IP, {"group_id": 2}))
    write(DeleteAddress(IP, now()))
    assert "leave --all away" in operator("dead-letters", "redrive", "--all", "--force", status=2).err
    said = operator.json("dead-letters", "redrive", older, later, "--force", "--yes", status=1)["dead_letters"]
    assert {each["message_id"]: each["fate"] for each in said} == {older: "kept", later: "sent again"}
    time.sleep(0.002)
    work_off(operator)
    assert addresses(reader) == {IP: 2}


def test_a_job_that_comes_between_redrive_and_work_wins(
    operator: Operator, reader: RoutingReader, write: Write
) -> None:
    """The platform's deletion was sent before the redrive, and waits in the queue beside it."""
    dead_letter(operator, CREATE)
    boto3.client("sqs").send_message(QueueUrl=operator.queues[Place.QUEUE], MessageBody=DELETE)
    time.sleep(0.002)
    operator("dead-letters", "redrive", "--all", "--yes")
    work_off(operator)
    assert addresses(reader) == {}


def test_a_letter_that_dies_again_keeps_its_first_time(operator: Operator, reader: RoutingReader, write: Write) -> None:
    dead_letter(operator, CREATE)
    first = operator.json("dead-letters", "list")["dead_letters"][0]["sent"]
    operator("dead-letters", "redrive", "--all", "--yes")
    sqs, url = boto3.client("sqs"), operator.queues[Place.QUEUE]
    QueuePoller(sqs, url, 1, operator.queues[Place.DEAD_LETTERS])
    for _ in range(2):  # received once, given back, dead at the second look
        sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)
    assert operator.json("dead-letters", "list")["dead_letters"][0]["sent"] == first
    write(DeleteAddress(IP, first + 1))
    assert operator.json("dead-letters", "list")["dead_letters"][0]["effect"] == "past"


def test_letters_are_discarded_by_name(operator: Operator) -> None:
    messages = [dead_letter(operator, body) for body in (CREATE, DELETE)]
    assert "name messages, or give --all" in operator("dead-letters", "discard", status=2).err
    assert "no dead letter gone is there" in operator("dead-letters", "discard", "gone", "--yes", status=1).err
    assert "confirm with --yes" in operator("dead-letters", "discard", messages[0], status=2).err
    operator("dead-letters", "discard", messages[0], interactive=True, typed="yes\n")
    assert bodies(operator, Place.DEAD_LETTERS) == [DELETE]


@contextmanager
def failing(operation: str, after: int = 0) -> Iterator[None]:
    """Have an operation fail, after some times that it does not."""
    send, left = BaseClient._make_api_call, [after]  # type: ignore[attr-defined]

    def refuse(client: Any, name: str, parameters: Any) -> Any:
        if name == operation:
            if not left[0]:
                raise ClientError({"Error": {"Code": "Down", "Message": "no"}}, name)
            left[0] -= 1
        return send(client, name, parameters)

    with patch.object(BaseClient, "_make_api_call", refuse):
        yield


@pytest.mark.parametrize("operation", ["SendMessage", "DeleteMessage"])
def test_what_breaks_in_the_middle_loses_nothing_and_each_fate_is_told(
    operator: Operator, reader: RoutingReader, operation: str
) -> None:
    for number in range(3):
        dead_letter(operator, job("CreateOpenSIPSPermissionJob", f"10.0.0.{number}", {"group_id": 1}))
    with failing(operation, after=1):
        said = operator.json("dead-letters", "redrive", "--all", "--yes", status=1)["dead_letters"]
    assert [each["fate"] for each in said] == ["sent again", "kept", "kept"]
    assert len(bodies(operator, Place.DEAD_LETTERS)) == 2
    work_off(operator)
    operator("dead-letters", "redrive", "--all", "--yes")
    work_off(operator)
    assert addresses(reader) == {f"10.0.0.{number}": 1 for number in range(3)}


def test_reasons_are_not_needed_for_the_list(operator: Operator) -> None:
    dead_letter(operator, CREATE)
    operator.functions.log_groups[SERVICES] = "no-such-group"
    try:
        document = operator.json("dead-letters", "list")
    finally:
        operator.functions.log_groups[SERVICES] = "services-log"
    assert [each["key"] for each in document["dead_letters"]] == [IP]
    assert "ResourceNotFound" in document["reasons_unknown"]


# --- what would be done, against what is done

JOBS = st.sampled_from(
    [
        CREATE,
        job("CreateOpenSIPSPermissionJob", IP, {"group_id": 2}),
        job("UpdateOpenSIPSPermissionJob", IP, {"group_id": 3}),
        DELETE,
    ]
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(st.tuples(JOBS, st.integers(1, 6)), max_size=4), letter=JOBS, sent=st.integers(1, 6))
def test_a_letter_is_of_the_past_just_when_working_it_off_changes_nothing_and_it_is_not_so(
    dynamodb: Any, before: list[tuple[str, int]], letter: str, sent: int
) -> None:
    from tests.support.routing_tables import clear

    clear(Table.ADDRESSES, Table.ROUTING_CHANGES)
    repository, reader = RoutingRepository(dynamodb, NAMES), RoutingReader(dynamodb, NAMES)
    for body, sent_at in before:
        repository.write([parse_job(body, sent_at)])  # type: ignore[list-item]
    message = QueueMessage("m", "r", letter, str(sent), 1, {})
    read = dead_letters.read(message)
    predicted = dead_letters.effect(read, repository, time.time())
    earlier = addresses(reader)
    repository.write([read.job])  # type: ignore[list-item]
    later = addresses(reader)
    match read.job:
        case PutAddress() as put:
            is_so = later == {IP: put.address.group_id}
        case SetAddressGroup() as change:
            is_so = later == {IP: change.group_id}
        case _:
            is_so = later == {}
    expected = "CHANGES" if later != earlier else "AS_IT_IS" if is_so else "PAST"
    assert predicted.name == expected
