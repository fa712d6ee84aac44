"""The queue's messages, as values. What a job class does is listed here and nowhere else.

A message body is `{"job_class": "...", "job_args": [...]}`. No error here repeats a body: it may hold credentials.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.services.errors import InvalidJob, UnknownJobClass
from routing import (
    Address,
    Change,
    DeleteAddress,
    DeleteSubscriber,
    InvalidRecord,
    PutAddress,
    PutSubscriber,
    SetAddressGroup,
    Subscriber,
)
from routing.fields import described


@dataclass(frozen=True, slots=True)
class CapacityChange:
    """The number of switches in a region may have changed.

    Attributes:
        region: AWS's name of the region.
        cluster: name of the ECS cluster, or its ARN; a message that was read has the name.
        family: the task definition family of the switch, which has the service's name.

    """

    region: str
    cluster: str
    family: str

    def to_message(self) -> str:
        """Return the message body that asks for the platform to be told."""
        arguments = {"region": self.region, "cluster": self.cluster, "family": self.family}
        return json.dumps({"job_class": "NotifySwitchCapacityChangeJob", "job_args": [arguments]})


Job = Change | CapacityChange


def parse_job(body: object, sent_at: int) -> Job:
    """Read a message body.

    Args:
        body: the message body.
        sent_at: when the message was sent, milliseconds since the epoch; it orders jobs about one key.

    Raises:
        InvalidJob: saying what is wrong with which argument.
        UnknownJobClass: naming the class.

    """
    if not isinstance(body, str):
        raise InvalidJob(f"the body is a {type(body).__name__}, not a string")
    try:
        message = json.loads(body)
    except ValueError as error:
        raise InvalidJob(f"the body is not JSON: {error}") from None
    if not isinstance(message, dict):
        raise InvalidJob("the body is not a JSON object")
    job_class, arguments = message.get("job_class"), message.get("job_args", [])
    if not isinstance(job_class, str):
        raise InvalidJob(f"job_class is {described(job_class)}, not a string")
    parse = _JOB_CLASSES.get(job_class)
    if parse is None:
        raise UnknownJobClass(f"job class {job_class!r} is not one of {', '.join(_JOB_CLASSES)}")
    if not isinstance(arguments, list):
        raise InvalidJob(f"{job_class}: job_args is not a list")
    try:
        return parse(arguments, sent_at)
    except (InvalidJob, InvalidRecord) as error:
        raise InvalidJob(f"{job_class}: {error}") from None


def _create_permission(arguments: list[Any], sent_at: int) -> Change:
    options = _object(arguments, 1, default={})
    return PutAddress(Address(_argument(arguments, 0, "the address"), options.get("group_id", 0)), sent_at)


def _update_permission(arguments: list[Any], sent_at: int) -> Change:
    options = _object(arguments, 1)
    return SetAddressGroup(_argument(arguments, 0, "the address"), options.get("group_id"), sent_at)  # type: ignore[arg-type]


def _delete_permission(arguments: list[Any], sent_at: int) -> Change:
    return DeleteAddress(_argument(arguments, 0, "the address"), sent_at)


def _create_subscriber(arguments: list[Any], sent_at: int) -> Change:
    fields = _object(arguments, 0)
    names = ("username", "md5_password", "sha256_password", "sha512_password")
    missing = [name for name in names if not fields.get(name)]
    if missing:
        raise InvalidJob(f"{', '.join(missing)} missing")
    return PutSubscriber(Subscriber(*(fields[name] for name in names)), sent_at)


def _delete_subscriber(arguments: list[Any], sent_at: int) -> Change:
    return DeleteSubscriber(_object(arguments, 0).get("username"), sent_at)  # type: ignore[arg-type]


def _notify_capacity(arguments: list[Any], _sent_at: int) -> CapacityChange:
    fields = _object(arguments, 0)
    for name in ("region", "cluster", "family"):
        if not isinstance(fields.get(name), str) or not fields[name]:
            raise InvalidJob(f"{name} is {described(fields.get(name))}, not a non-empty string")
    # Events name a cluster by its ARN, the reconcile by its name; they are to be one question.
    return CapacityChange(fields["region"], fields["cluster"].rsplit("/", 1)[-1], fields["family"])


_JOB_CLASSES: Mapping[str, Callable[[list[Any], int], Job]] = {
    "CreateOpenSIPSPermissionJob": _create_permission,
    "UpdateOpenSIPSPermissionJob": _update_permission,
    "DeleteOpenSIPSPermissionJob": _delete_permission,
    "CreateOpenSIPSSubscriberJob": _create_subscriber,
    "DeleteOpenSIPSSubscriberJob": _delete_subscriber,
    "NotifySwitchCapacityChangeJob": _notify_capacity,
}


def _argument(arguments: list[Any], index: int, what: str) -> Any:
    if len(arguments) <= index:
        raise InvalidJob(f"job_args[{index}], {what}, is missing")
    return arguments[index]


def _object(arguments: list[Any], index: int, default: dict[str, Any] | None = None) -> dict[str, Any]:
    if default is not None and (len(arguments) <= index or arguments[index] is None):
        return default
    value = _argument(arguments, index, "an object")
    if not isinstance(value, dict):
        raise InvalidJob(f"job_args[{index}] is not an object")
    return value
