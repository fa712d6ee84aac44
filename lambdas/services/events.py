"""Which of the function's events came, as a value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.services.deployment import ServiceActionResource
from lambdas.services.ecs_tasks import TaskState
from lambdas.services.errors import InvalidEvent, UnknownEvent


@dataclass(frozen=True, slots=True)
class QueueBatch:
    """Messages of the queue, as SQS delivers them."""

    records: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ServiceAction:
    """A direct invocation."""

    name: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ScheduledReconcile:
    """The function's own schedule fired."""


Event = TaskState | QueueBatch | ServiceAction | ServiceActionResource | ScheduledReconcile


def parse_event(event: object) -> Event:
    """Tell what came.

    Raises:
        UnknownEvent: when it is none of the function's events, saying what it looks like.
        InvalidEvent: when it is one of them and lacks something.

    """
    if not isinstance(event, Mapping):
        raise UnknownEvent(f"the event is a {type(event).__name__}, not an object")
    if "Records" in event:
        return QueueBatch(_queue_records(event["Records"]))
    if "serviceAction" in event:
        parameters = event.get("parameters") or {}
        if not isinstance(parameters, Mapping):
            raise InvalidEvent("parameters is not an object")
        return ServiceAction(str(event["serviceAction"]), parameters)
    if "ResponseURL" in event:
        return ServiceActionResource.parse(event)
    match event.get("detail-type"):
        case "ECS Task State Change":
            detail, region = event.get("detail"), event.get("region")
            if not isinstance(detail, Mapping):
                raise InvalidEvent("ECS Task State Change: detail is not an object")
            if not isinstance(region, str) or not region:
                raise InvalidEvent(f"ECS Task State Change: region is {region!r}, not a non-empty string")
            return TaskState.parse(detail, region)
        case "Scheduled Event" if event.get("source") == "aws.events":
            return ScheduledReconcile()
    described = {name: event[name] for name in ("source", "detail-type") if name in event} or sorted(map(str, event))
    raise UnknownEvent(f"no event of this function: {described}")


def _queue_records(records: object) -> list[dict[str, Any]]:
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise InvalidEvent("Records is not a list of objects")
    for record in records:
        if record.get("eventSource") != "aws:sqs":
            raise UnknownEvent(f"a record comes from {record.get('eventSource')!r}, not from aws:sqs")
    return records
