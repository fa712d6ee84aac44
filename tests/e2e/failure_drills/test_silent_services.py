"""SSM, the platform or another region's ECS take requests and never answer, while the queue's messages are worked off.

What AWS's clients wait for an answer is counted and not waited. The platform is waited for, for a short while.
"""

from collections.abc import Iterator

import boto3
import pytest

from lambdas.services import aws_clients, call_platform
from tests.e2e.failure_drills.conftest import PASSWORD, TIME_LIMIT, Services, note
from tests.e2e.failure_drills.test_throttled_dynamodb import addresses
from tests.fakes.call_platform import CallPlatform
from tests.support.ecs_cluster import Cluster
from tests.support.faulty_aws import AwsRequest, Fault, FaultyAws, all_of
from tests.support.queue_events import job
from tests.support.queue_poller import QueuePoller
from tests.support.skipped_waits import SkippedWaits, skipped_waits


@pytest.fixture
def waits(aws: FaultyAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[SkippedWaits]:
    """What the function would have waited for answers of AWS and between two tries."""
    with skipped_waits() as waits:

        def give_up(request: AwsRequest) -> None:
            config = aws_clients._SSM_CONFIG if request.service == "ssm" else aws_clients._CONFIG
            waits.sleep(config.read_timeout)

        monkeypatch.setattr(aws, "silence", give_up)
        yield waits


@pytest.fixture
def platform(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[CallPlatform]:
    for region in ("ap-southeast-1", "us-east-1"):
        cluster = Cluster(region)
        cluster.add_instance()
        cluster.run("switch")
    with CallPlatform("services", PASSWORD) as running:
        monkeypatch.setenv("CALL_PLATFORM_HOST", running.url)
        yield running


def send_batch(queue: QueuePoller) -> None:
    """Send permissions, and capacity messages of both regions as events and as the reconcile write them."""
    for region in ("us-east-1", "ap-southeast-1"):
        for cluster in ("somleng-switch", f"arn:aws:ecs:{region}:123456789012:cluster/somleng-switch"):
            queue.send(job("NotifySwitchCapacityChangeJob", {"region": region, "cluster": cluster, "family": "switch"}))
    for host in range(3):
        queue.send(job("CreateOpenSIPSPermissionJob", f"10.0.0.{host}", {"group_id": 1}))


def left(queue: QueuePoller, services: Services) -> int:
    """Return how many messages of the batch come again."""
    return queue.poll(services)


def test_ecs_of_a_region_is_silent(
    aws: FaultyAws, services: Services, queue: QueuePoller, platform: CallPlatform, waits: SkippedWaits
) -> None:
    send_batch(queue)
    with aws.faults(all_of("ecs", Fault.SILENT, region="us-east-1")):
        assert queue.poll(services) == 7
    note("a silent region", waited=waits.seconds)
    assert waits.seconds < TIME_LIMIT / 3
    assert len(addresses()) == 3
    assert platform.capacities == [("hydrogen", 1)]
    assert left(queue, services) == 2
    assert platform.capacities == [("hydrogen", 1), ("helium", 1)]


def test_the_platform_is_silent(
    services: Services, queue: QueuePoller, platform: CallPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_platform, "_READ_SECONDS", 0.2)
    send_batch(queue)
    platform.delay = 30
    assert queue.poll(services) == 7
    assert len(addresses()) == 3
    assert platform.capacities == []
    platform.delay = 0
    assert left(queue, services) == 4
    assert sorted(platform.capacities) == [("helium", 1), ("hydrogen", 1)]


def test_ssm_is_silent(
    aws: FaultyAws, services: Services, queue: QueuePoller, platform: CallPlatform, waits: SkippedWaits
) -> None:
    send_batch(queue)
    with aws.faults(all_of("ssm", Fault.SILENT)):
        assert queue.poll(services) == 7
    note("a silent SSM", waited=waits.seconds)
    assert waits.seconds < TIME_LIMIT / 3
    assert len(addresses()) == 3
    assert platform.capacities == []
    assert left(queue, services) == 4
    assert sorted(platform.capacities) == [("helium", 1), ("hydrogen", 1)]


def test_no_region_is_told_when_too_little_time_is_left(
    aws: FaultyAws,
    services: Services,
    queue: QueuePoller,
    platform: CallPlatform,
    waits: SkippedWaits,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both regions are silent for longer than the function has: the second is not asked, and the batch is not lost."""
    monkeypatch.setattr(aws, "silence", lambda _: waits.sleep(TIME_LIMIT / 10))
    send_batch(queue)
    with aws.faults(all_of("ecs", Fault.SILENT)) as requests:
        assert queue.poll(services) == 7
    assert {request.region for request, fault in requests if fault} == {"us-east-1"}
    assert waits.seconds < TIME_LIMIT
    assert len(addresses()) == 3
    assert left(queue, services) == 4
    assert platform.capacities == [("helium", 1), ("hydrogen", 1)]


def test_ssm_refuses_and_the_password_that_is_known_serves_on(
    aws: FaultyAws,
    services: Services,
    queue: QueuePoller,
    platform: CallPlatform,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lambdas.services.platform_password._KEPT_SECONDS", 0)
    send_batch(queue)
    queue.poll(services)
    send_batch(queue)
    with aws.faults(all_of("ssm", Fault.UNAVAILABLE)) as requests:
        assert queue.poll(services) == 7
        assert [request.service for request, fault in requests if fault] == ["ssm"] * 4
        assert left(queue, services) == 0
        assert len(platform.capacities) == 4

        # Rotated meanwhile, the known one is refused and cannot be replaced: the messages wait.
        platform.password = "rotated"
        send_batch(queue)
        assert queue.poll(services) == 7
        assert len(platform.capacities) == 4
    boto3.client("ssm").put_parameter(
        Name="somleng.test.services_password", Value="rotated", Type="SecureString", Overwrite=True
    )
    assert left(queue, services) == 4
    assert len(platform.capacities) == 6
