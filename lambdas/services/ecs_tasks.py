"""What ECS says of a task, in an event or in an answer, as a value.

Both have the same fields: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html and
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from lambdas.services.errors import InvalidEvent
from routing import TaskStamp

_STOPPING_STATUSES = frozenset({"DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED", "DELETED"})
_NETWORK_INTERFACE_TYPES = frozenset({"eni", "ElasticNetworkInterface"})  # an event's word, the API's word


class Phase(Enum):
    """What a task's life means to the gateways."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    """Told to stop, or already stopped: no new call goes there."""


@dataclass(frozen=True, slots=True)
class NetworkInterface:
    """A task's own network interface (network mode awsvpc)."""

    status: str
    private_ip: str | None

    @property
    def is_attached(self) -> bool:
        """Whether the task can be reached by it."""
        return self.status == "ATTACHED" and self.private_ip is not None


@dataclass(frozen=True, slots=True)
class TaskState:
    """A task at one point of its life.

    Attributes:
        stamp: the task's ARN, version and time of start.
        group: `service:<name>` for a task of a service; empty for a task that belongs to none.
        cluster_arn: the cluster that it runs in.
        region: AWS region.
        phase: whether it starts, runs or stops.
        container_instance_arn: the EC2 instance's registration with ECS, None on Fargate.
        network_interface: the task's own interface, None when it uses its instance's.

    """

    stamp: TaskStamp
    group: str
    cluster_arn: str
    region: str
    phase: Phase
    container_instance_arn: str | None
    network_interface: NetworkInterface | None

    @classmethod
    def parse(cls, detail: Mapping[str, Any], region: str) -> "TaskState":
        """Read the `detail` of a task state change event, or a task that DescribeTasks returned.

        Raises:
            InvalidEvent: naming the field that is missing or wrong.

        """
        last_status = _text(detail, "lastStatus")
        return cls(
            stamp=TaskStamp(_text(detail, "taskArn"), _version(detail), _milliseconds(detail, "startedAt")),
            group=_text(detail, "group", default=""),
            cluster_arn=_text(detail, "clusterArn"),
            region=region,
            phase=_phase(last_status, _text(detail, "desiredStatus", default=last_status)),
            container_instance_arn=_text(detail, "containerInstanceArn", default="") or None,
            network_interface=_network_interface(detail),
        )


def _phase(last_status: str, desired_status: str) -> Phase:
    if desired_status in _STOPPING_STATUSES or last_status in _STOPPING_STATUSES:
        return Phase.STOPPING
    return Phase.RUNNING if last_status == "RUNNING" else Phase.STARTING


def _text(detail: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = detail.get(name, default)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or (not value and default is None):
        raise InvalidEvent(f"task state: {name} is {value!r}, not a non-empty string")
    return value


def _version(detail: Mapping[str, Any]) -> int:
    value = detail.get("version", 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise InvalidEvent(f"task state: version is {value!r}, not a whole number")
    return value


def _milliseconds(detail: Mapping[str, Any], name: str) -> int | None:
    """Return a time in milliseconds since the epoch; an event has it as ISO 8601, an answer as a datetime."""
    value = detail.get(name)
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise InvalidEvent(f"task state: {name} is {value!r}, not an ISO 8601 time") from None
    if not isinstance(value, datetime):
        raise InvalidEvent(f"task state: {name} is {value!r}, not a time")
    moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def _network_interface(detail: Mapping[str, Any]) -> NetworkInterface | None:
    attachments = detail.get("attachments")
    if attachments is None:
        return None
    if not isinstance(attachments, list):
        raise InvalidEvent(f"task state: attachments is {attachments!r}, not a list")
    interfaces = []
    for index, attachment in enumerate(attachments):
        if not isinstance(attachment, Mapping):
            raise InvalidEvent(f"task state: attachments[{index}] is {attachment!r}, not an object")
        if attachment.get("type") in _NETWORK_INTERFACE_TYPES:
            interfaces.append(NetworkInterface(str(attachment.get("status")), _private_ip(index, attachment)))
    # While an interface is replaced the task lists both; the attached one is the one to call.
    return next((each for each in interfaces if each.is_attached), interfaces[0] if interfaces else None)


def _private_ip(index: int, attachment: Mapping[str, Any]) -> str | None:
    details = attachment.get("details") or []
    if not isinstance(details, list) or not all(isinstance(detail, Mapping) for detail in details):
        raise InvalidEvent(f"task state: attachments[{index}].details is {details!r}, not a list of objects")
    for detail in details:
        if detail.get("name") == "privateIPv4Address":
            try:
                return str(ipaddress.IPv4Address(detail.get("value")))
            except ValueError:
                raise InvalidEvent(
                    f"task state: attachments[{index}].privateIPv4Address is {detail.get('value')!r}"
                ) from None
    return None
