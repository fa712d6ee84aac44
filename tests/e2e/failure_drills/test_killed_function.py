"""The services function is killed in the middle: before and after each request that it makes, with SIGKILL."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest

from routing import Table
from tests.e2e.failure_drills.conftest import Services, note
from tests.e2e.failure_drills.test_throttled_dynamodb import addresses, check_journal
from tests.support.ecs_cluster import Cluster
from tests.support.ecs_events import task_event
from tests.support.faulty_aws import AwsRequest, FaultyAws
from tests.support.function_process import KILLED, FunctionProcess
from tests.support.queue_events import DIGESTS, job
from tests.support.queue_poller import QueuePoller
from tests.support.routing_tables import rows


@pytest.fixture
def process(services: Services) -> Iterator[FunctionProcess]:
    path = os.pathsep.join((".", "layers/routing/python"))
    with FunctionProcess({**os.environ, "PYTHONPATH": path, "AWS_LAMBDA_FUNCTION_NAME": "services"}) as running:
        yield running


class Killer:
    """Kills the function at a point: a point lies before each of its requests, and one behind it."""

    def __init__(self, aws: FaultyAws, process: FunctionProcess) -> None:
        self._aws, self._process = aws, process
        self.points = 0

    @contextmanager
    def at(self, point: int) -> Iterator[None]:
        """Kill it when it comes to a point; 0 is none."""
        self.points = 0

        def passes(_: AwsRequest) -> bool:
            self.points += 1
            if self.points != point:
                return False
            os.kill(self._process.process_id, signal.SIGKILL)
            return True

        self._aws.before, self._aws.after = passes, passes
        try:
            yield
        finally:
            self._aws.before, self._aws.after = lambda _: False, lambda _: False


def batch(number: int) -> tuple[list[str], dict[str, int]]:
    """Return ten jobs: of permissions and credentials, one that is malformed and one that nobody answers."""
    bodies = [job("CreateOpenSIPSPermissionJob", f"10.0.{number}.{host}", {"group_id": 1}) for host in range(6)]
    bodies += [job("DeleteOpenSIPSPermissionJob", f"10.0.{number}.5")]
    bodies += [job("CreateOpenSIPSSubscriberJob", {"username": f"user{number}", **DIGESTS})]
    bodies += [job("NotifySwitchCapacityChangeJob", _CAPACITY), "malformed"]
    return bodies, {f"10.0.{number}.{host}": 1 for host in range(5)}


_CAPACITY = {"region": "ap-southeast-1", "cluster": "somleng-switch", "family": "switch"}


def test_a_batch_is_killed_at_every_point(aws: FaultyAws, services: Services, process: FunctionProcess) -> None:
    """Each batch comes twice: the first time the function is killed, at a point further on with each batch."""
    Cluster("ap-southeast-1")
    queue = QueuePoller(boto3.client("sqs"), services.queue_url, maximum_receives=2)
    killer, truth, dead, point, was_killed = Killer(aws, process), dict[str, int](), list[str](), 0, True

    def killed(event: dict[str, Any]) -> Any:
        nonlocal was_killed
        with killer.at(point):
            answer = process.invoke(event)
        was_killed = answer == KILLED
        if was_killed:
            raise RuntimeError(answer)
        return answer

    while was_killed:
        point += 1
        bodies, expected = batch(point)
        truth |= expected
        queue.send_at_once(bodies)
        assert queue.poll(killed) == 10
        assert queue.poll(process.invoke) == (10 if was_killed else 2)
        assert queue.poll(process.invoke) == 0
        dead += bodies[-2:]
    note("a batch killed at every point", points=point - 1)
    assert point > 6, "the function made too few requests to be killed between them"
    assert addresses() == truth
    assert sorted(queue.dead()) == sorted(dead)
    assert {row["username"] for row in rows(Table.SUBSCRIBERS)} == {f"user{number}" for number in range(1, point + 1)}
    # Of six addresses in each batch, one came and went at once: one change each, however often it was delivered.
    assert check_journal(Table.ADDRESSES) == 6 * point
    assert check_journal(Table.SUBSCRIBERS) == point


def test_an_event_is_killed_at_every_point(aws: FaultyAws, services: Services, process: FunctionProcess) -> None:
    """A task stops; its event comes again after the function was killed on it."""
    killer, point, answer = Killer(aws, process), 0, KILLED
    while answer == KILLED:
        point += 1
        task = {"name": f"task-{point}", "ip": f"10.0.0.{point}"}
        assert process.invoke(task_event(**task)) is None
        queued(services)
        event = task_event(**task, version=4, last_status="STOPPED")
        with killer.at(point):
            answer = process.invoke(event)
        if answer == KILLED:
            assert process.invoke(event) is None
        assert queued(services), "nobody was left to tell the platform of the capacity"
    note("an event killed at every point", points=point - 1)
    assert point > 6, "the function made too few requests to be killed between them"
    assert rows(Table.LOAD_BALANCER_TARGETS) == []
    assert check_journal(Table.LOAD_BALANCER_TARGETS) == 4 * point


def queued(services: Services) -> list[str]:
    """Take what the function left in its queue."""
    sqs, found = boto3.client("sqs"), list[str]()
    while messages := sqs.receive_message(QueueUrl=services.queue_url, MaxNumberOfMessages=10).get("Messages"):
        found += [message["Body"] for message in messages]
    return found
