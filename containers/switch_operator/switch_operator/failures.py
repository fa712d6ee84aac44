"""Events that a function failed on for good, as they lie in its failures queue.

Two put them there: Lambda, after its retries, with the event as `requestPayload` and the error beside it
(https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html); and EventBridge, for an event that
it could not hand to Lambda at all, as it is, with the error in message attributes
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html).
"""

import json
from dataclasses import dataclass
from typing import Any

from switch_operator.queue_messages import QueueMessage


@dataclass(frozen=True, slots=True)
class Failure:
    """An event that failed.

    Attributes:
        message: the message that holds it.
        event: the event; None where there is none in it.
        what: what it is about, for people.
        error: what the function, or EventBridge, said.

    """

    message: QueueMessage
    event: dict[str, Any] | None
    what: str
    error: str


def read(message: QueueMessage) -> Failure:
    """Read a message."""
    try:
        body = json.loads(message.body)
    except ValueError:
        return Failure(message, None, "no JSON", "it is no event of Lambda or EventBridge")
    if not isinstance(body, dict):
        return Failure(message, None, "no object", "it is no event of Lambda or EventBridge")
    if "requestContext" in body:
        event = body.get("requestPayload")
        error = _lambda_error(body)
    else:
        event = body
        code, said = message.attribute("ERROR_CODE"), message.attribute("ERROR_MESSAGE")
        error = f"{code or 'not delivered'}: {said or 'EventBridge could not hand it to the function'}"
    if not isinstance(event, dict):
        return Failure(message, None, "no event", error)
    return Failure(message, event, _what(event), error)


def _lambda_error(body: dict[str, Any]) -> str:
    payload = body.get("responsePayload")
    if isinstance(payload, dict) and "errorMessage" in payload:
        return f"{payload.get('errorType', 'error')}: {payload['errorMessage']}"
    condition = (body.get("requestContext") or {}).get("condition", "failed")
    return f"{condition}: the function gave no reason"


def _what(event: dict[str, Any]) -> str:
    detail = event.get("detail")
    match event.get("detail-type"):
        case "ECS Task State Change" if isinstance(detail, dict):
            return f"task {detail.get('taskArn')} {detail.get('lastStatus')}, version {detail.get('version')}"
        case "Scheduled Event":
            return "reconcile"
        case str(kind):
            return kind
    records = event.get("Records")
    if isinstance(records, list):
        objects = [
            record["s3"]["object"].get("key") for record in records if isinstance(record, dict) and "s3" in record
        ]
        if objects:
            return f"object {', '.join(map(str, objects))}"
    return f"service action {event['serviceAction']}" if "serviceAction" in event else "an event of another kind"
