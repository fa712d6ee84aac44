"""Reads what is counted elsewhere: messages in queues, and what the platform was told of regions."""

import json
import urllib.request
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from local.live import fields
from local.live.rows import Capacity, Queue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_SECONDS: Final = 2.0
_BODY_MAXIMUM: Final = 1024 * 1024
_REGIONS_MAXIMUM: Final = 20


def read_queues(client: "SQSClient", queues: Mapping[str, str]) -> dict[str, Queue]:
    """Count the messages of each queue; none is taken or looked at.

    Args:
        client: of SQS.
        queues: URLs by what the queues are called.

    """
    found = {}
    for name, url in queues.items():
        answer = client.get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        )
        told = answer["Attributes"]
        waiting = fields.number(told.get("ApproximateNumberOfMessages")) or 0
        found[name] = Queue(name, waiting, fields.number(told.get("ApproximateNumberOfMessagesNotVisible")) or 0)
    return found


def read_capacities(platform_url: str) -> dict[str, Capacity]:
    """Ask the call platform's stand-in which capacity it was told last of each region.

    Raises:
        OSError: when it is not reached.
        ValueError: when it does not answer with a list.

    """
    with urllib.request.urlopen(f"{platform_url}/capacities", timeout=_SECONDS) as answer:  # noqa: S310 - of the run
        told: Any = json.loads(answer.read(_BODY_MAXIMUM))
    if not isinstance(told, list):
        raise ValueError("the platform's capacities are no list")  # noqa: TRY004 - of the answer's content
    found: dict[str, Capacity] = {}
    for each in told:
        region = fields.identifier(each.get("region")) if isinstance(each, dict) else ""
        capacity = fields.number(each.get("capacity")) if region else None
        if capacity is not None and (region in found or len(found) < _REGIONS_MAXIMUM):
            found[region] = Capacity(region, capacity)
    return found
