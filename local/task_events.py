"""Tells EventBridge what becomes of tasks, as ECS does on AWS."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local.errors import LocalError

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE = "local.ecs"
"""EventBridge takes no event of source aws.ecs from anybody but ECS; the local stack's rule matches this one, too."""


class TaskEvents:
    """Puts task state changes on the default event bus."""

    def __init__(self, events: "EventBridgeClient") -> None:
        self._events = events
        self._started_at = datetime.now(UTC)

    def put(
        self, task: Mapping[str, Any], version: int, last_status: str = "RUNNING", desired_status: str = "RUNNING"
    ) -> None:
        """Put an event about a task.

        Args:
            task: the task as ECS describes it.
            version: how many changes of the task there were, this one included.
            last_status: where it is, as in ECS's task life cycle.
            desired_status: where ECS wants it.

        Raises:
            LocalError: when EventBridge refuses it.

        """
        change = {"version": version, "lastStatus": last_status, "desiredStatus": desired_status}
        detail = {**task, **change, "startedAt": self._started_at.isoformat()}
        answer = self._events.put_events(
            Entries=[
                {
                    "Source": SOURCE,
                    "DetailType": "ECS Task State Change",
                    "Resources": [task["taskArn"]],
                    "Detail": json.dumps(detail, default=str),
                }
            ]
        )
        if answer["FailedEntryCount"]:
            raise LocalError(f"EventBridge refused an event: {answer['Entries']}")
