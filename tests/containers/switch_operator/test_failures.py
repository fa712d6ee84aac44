"""Events that functions failed on: listed, given again, discarded."""

import json
from typing import Any

import boto3

from routing import RoutingReader, Table
from switch_operator.deployment import Place
from tests.containers.switch_operator.conftest import S3_MPEG, SERVICES, Operator
from tests.support.ecs_events import task_arn, task_event

RECORDING = {"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {"name": "b"}, "object": {"key": "calls/a.wav"}}}]}


def by_lambda(event: Any, error: dict[str, Any] | None = None) -> str:
    """Return what Lambda leaves of an event that it gave up."""
    return json.dumps(
        {
            "version": "1.0",
            "timestamp": "2026-03-07T10:00:00.000Z",
            "requestContext": {"requestId": "r", "condition": "RetriesExhausted", "approximateInvokeCount": 3},
            "requestPayload": event,
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "responsePayload": error,
        }
    )


def leave(operator: Operator, place: Place, body: str, **attributes: str) -> str:
    values: Any = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    url = operator.queues[place]
    return str(boto3.client("sqs").send_message(QueueUrl=url, MessageBody=body, MessageAttributes=values)["MessageId"])


def test_both_kinds_are_listed_with_what_they_are_about_and_why_they_failed(operator: Operator) -> None:
    error = {"errorType": "AddressNotFound", "errorMessage": "task a has no instance", "stackTrace": ["secret"]}
    leave(operator, Place.SERVICES_FAILURES, by_lambda(task_event("a"), error))
    leave(
        operator, Place.SERVICES_FAILURES, json.dumps(task_event("b")), ERROR_CODE="NO_PERMISSIONS", ERROR_MESSAGE="no"
    )
    leave(operator, Place.SERVICES_FAILURES, "nothing at all")
    leave(operator, Place.S3_MPEG_FAILURES, by_lambda(RECORDING))
    listed = operator.json("failures", "list", "services")["failures"]
    assert {(each["event"], each["error"]) for each in listed} == {
        (f"task {task_arn('a')} RUNNING, version 3", "AddressNotFound: task a has no instance"),
        (f"task {task_arn('b')} RUNNING, version 3", "NO_PERMISSIONS: no"),
        ("no JSON", "it is no event of Lambda or EventBridge"),
    }
    shown = operator("failures", "list", "s3-mpeg").out
    assert "object calls/a.wav" in shown
    assert "RetriesExhausted" in shown


def test_a_task_event_is_given_to_the_function_again(operator: Operator, reader: RoutingReader) -> None:
    leave(operator, Place.SERVICES_FAILURES, by_lambda(task_event("a", ip="10.1.1.1")))
    said = operator.json("failures", "redrive", "services", "--all", "--yes")["failures"]
    assert [each["fate"] for each in said] == ["done"]
    assert sorted(reader.snapshot(Table.LOAD_BALANCER_TARGETS).records) == ["sip:10.1.1.1:5060", "sip:10.1.1.1:5080"]
    assert operator.json("failures", "list", "services")["failures"] == []


def test_an_event_that_fails_again_is_kept_with_its_error(operator: Operator) -> None:
    bad = leave(operator, Place.SERVICES_FAILURES, by_lambda(task_event("a", region="mars-1")))
    leave(operator, Place.SERVICES_FAILURES, "nothing at all")
    said = operator.json("failures", "redrive", "services", "--all", "--yes", status=1)["failures"]
    fates = {each["message_id"]: (each["fate"], each["why"]) for each in said}
    assert fates[bad][0] == "kept"
    assert "UnknownRegion: region 'mars-1'" in fates[bad][1]
    assert {fate for fate, _ in fates.values()} == {"kept"}
    assert len(operator.json("failures", "list", "services")["failures"]) == 2
    operator("failures", "discard", "services", bad, "--yes")
    assert len(operator.json("failures", "list", "services")["failures"]) == 1


def test_nobody_waits_for_a_recording(operator: Operator) -> None:
    leave(operator, Place.S3_MPEG_FAILURES, by_lambda(RECORDING))
    said = operator.json("failures", "redrive", "s3-mpeg", "--all", "--yes")["failures"]
    assert [each["fate"] for each in said] == ["handed over"]
    assert operator.functions.invocations == [(S3_MPEG, "Event", RECORDING)]
    assert operator.json("failures", "list", "s3-mpeg")["failures"] == []


def test_a_function_that_cannot_be_invoked_leaves_the_event_where_it_is(operator: Operator) -> None:
    leave(operator, Place.SERVICES_FAILURES, by_lambda(task_event("a")))
    del operator.functions.functions[SERVICES]
    said = operator.json("failures", "redrive", "services", "--all", "--yes", status=1)["failures"]
    assert "could not be invoked" in said[0]["why"]
    assert len(operator.json("failures", "list", "services")["failures"]) == 1
