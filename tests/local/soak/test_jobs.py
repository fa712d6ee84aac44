"""The jobs that a soak sends, and what it takes for the truth because of them."""

import asyncio
import json
import random
from types import SimpleNamespace
from typing import Any

from lambdas.services.jobs import parse_job
from local.soak.jobs import Jobs
from local.soak.truth import Truth
from routing import Table


class Queue:
    """Takes messages."""

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def send_message(self, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803 - boto3's names
        self.bodies.append(MessageBody)


def test_the_last_message_of_each_key_is_the_truth(monkeypatch: Any) -> None:
    queue, truth = Queue(), Truth()
    system: Any = SimpleNamespace(sqs=queue, outputs={"QueueUrl": "queue"})
    jobs = Jobs(system, truth, random.Random(3))
    monkeypatch.setattr("local.soak.jobs._PAUSE_SECONDS", 0.0)
    asyncio.run(jobs.change(0.5))
    assert jobs.sent == len(queue.bodies) > 30
    assert any(a == b for a, b in zip(queue.bodies, queue.bodies[1:], strict=False)), "some come twice"
    addresses: dict[str, str] = {}
    subscribers: dict[str, str] = {}
    kinds = set()
    for body in queue.bodies:
        parse_job(body, sent_at=1)  # the function would take it
        message = json.loads(body)
        kind, (first, *rest) = message["job_class"], message["job_args"]
        kinds.add(kind)
        if kind in ("CreateOpenSIPSPermissionJob", "UpdateOpenSIPSPermissionJob"):
            addresses[first] = f"group {rest[0]['group_id']}"
        elif kind == "DeleteOpenSIPSPermissionJob":
            addresses.pop(first, None)
        elif kind == "CreateOpenSIPSSubscriberJob":
            subscribers[first["username"]] = first["md5_password"]
        else:
            subscribers.pop(first["username"], None)
    assert len(kinds) == 5
    assert truth.rows(Table.ADDRESSES) == addresses
    assert truth.rows(Table.SUBSCRIBERS) == subscribers
