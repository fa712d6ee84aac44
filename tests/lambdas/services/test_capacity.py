"""Capacity: switches are counted when a message is worked off, and the platform is told over HTTP."""

import base64
import socket
from collections.abc import Iterator

import boto3
import pytest

from lambdas.services.call_platform import CallPlatform as Client
from lambdas.services.errors import CallPlatformError
from lambdas.services.settings import CallPlatformSettings
from tests.fakes.call_platform import CallPlatform
from tests.lambdas.services.conftest import PASSWORD, Services
from tests.support.ecs_cluster import Cluster
from tests.support.queue_events import failed, job, queue_event
from tests.support.services_environment import PASSWORD_PARAMETER


@pytest.fixture
def platform(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[CallPlatform]:
    """The platform that the function tells."""
    with CallPlatform("services", PASSWORD) as running:
        monkeypatch.setenv("CALL_PLATFORM_HOST", running.url)
        yield running


def capacity_job(region: str = "ap-southeast-1", cluster: str = "somleng-switch", family: str = "switch") -> str:
    return job("NotifySwitchCapacityChangeJob", {"region": region, "cluster": cluster, "family": family})


def run_switches(region: str, count: int) -> Cluster:
    cluster = Cluster(region)
    cluster.add_instance()
    for _ in range(count):
        cluster.run("switch")
    return cluster


def test_no_switch_is_capacity_0(services: Services, platform: CallPlatform) -> None:
    run_switches("ap-southeast-1", 0)
    assert services(queue_event(capacity_job())) == {"batchItemFailures": []}
    assert platform.capacities == [("hydrogen", 0)]


def test_the_running_switches_of_the_family_are_counted(services: Services, platform: CallPlatform) -> None:
    cluster = run_switches("ap-southeast-1", 2)
    cluster.run("media-proxy")
    services(queue_event(capacity_job()))
    assert platform.capacities == [("hydrogen", 2)]


def test_switches_are_counted_in_the_region_of_the_message(services: Services, platform: CallPlatform) -> None:
    run_switches("ap-southeast-1", 2)
    run_switches("us-east-1", 1)
    services(queue_event(capacity_job("us-east-1")))
    assert platform.capacities == [("helium", 1)]


def test_a_cluster_may_be_named_by_its_arn(services: Services, platform: CallPlatform) -> None:
    cluster = run_switches("ap-southeast-1", 1)
    arn = cluster.ecs.describe_clusters(clusters=[cluster.name])["clusters"][0]["clusterArn"]
    services(queue_event(capacity_job(cluster=arn)))
    assert platform.capacities == [("hydrogen", 1)]


def test_the_count_is_that_of_the_moment_of_telling(services: Services, platform: CallPlatform) -> None:
    cluster = run_switches("ap-southeast-1", 1)
    message = queue_event(capacity_job())
    cluster.run("switch")
    services(message)
    assert platform.capacities == [("hydrogen", 2)]


def test_a_switch_that_is_told_to_stop_is_not_counted(services: Services, platform: CallPlatform) -> None:
    cluster = run_switches("ap-southeast-1", 1)
    cluster.stop(cluster.run("switch"))
    services(queue_event(capacity_job()))
    assert platform.capacities == [("hydrogen", 1)]


def test_the_request_is_as_the_platform_expects_it(services: Services, platform: CallPlatform) -> None:
    run_switches("ap-southeast-1", 0)
    services(queue_event(capacity_job()))
    (request,) = platform.requests
    assert (request.method, request.path) == ("POST", "/call_service_capacities")
    assert request.body == {"region": "hydrogen", "capacity": 0}
    assert request.headers["content-type"] == "application/json"
    credentials = base64.b64encode(f"services:{PASSWORD}".encode()).decode()
    assert request.headers["authorization"] == f"Basic {credentials}"


def test_messages_that_ask_for_one_count_are_answered_once(services: Services, platform: CallPlatform) -> None:
    run_switches("ap-southeast-1", 1)
    run_switches("us-east-1", 1)
    bodies = [capacity_job(), capacity_job("us-east-1"), capacity_job(), capacity_job()]
    assert services(queue_event(*bodies)) == {"batchItemFailures": []}
    assert platform.capacities == [("hydrogen", 1), ("helium", 1)]


# --- what fails, so that the queue retries it


@pytest.mark.parametrize("status", [302, 400, 403, 404, 422, 500, 503])
def test_any_answer_but_2xx_fails_the_message(services: Services, platform: CallPlatform, status: int) -> None:
    run_switches("ap-southeast-1", 1)
    platform.answers = [status]
    permission = job("CreateOpenSIPSPermissionJob", "10.0.0.1")
    response = services(queue_event(permission, capacity_job(), capacity_job()))
    assert failed(response) == ["m1", "m2"]
    assert any(f"answered with {status}" in line.get("reason", "") for line in services.log)
    assert services(queue_event(capacity_job())) == {"batchItemFailures": []}


@pytest.mark.parametrize("status", [200, 201, 204])
def test_every_2xx_is_success(services: Services, platform: CallPlatform, status: int) -> None:
    run_switches("ap-southeast-1", 1)
    platform.answers = [status]
    assert services(queue_event(capacity_job())) == {"batchItemFailures": []}


def test_a_platform_that_is_away_fails_the_message_and_not_the_other_region(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_switches("ap-southeast-1", 1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("CALL_PLATFORM_HOST", f"http://127.0.0.1:{port}")
    assert failed(services(queue_event(capacity_job()))) == ["m0"]
    assert any("failed: " in line.get("reason", "") for line in services.log)


def test_a_password_that_was_rotated_is_read_again(services: Services, platform: CallPlatform) -> None:
    run_switches("ap-southeast-1", 1)
    services(queue_event(capacity_job()))
    platform.password = "rotated"
    boto3.client("ssm").put_parameter(Name=PASSWORD_PARAMETER, Value="rotated", Type="SecureString", Overwrite=True)
    assert services(queue_event(capacity_job())) == {"batchItemFailures": []}
    assert platform.capacities == [("hydrogen", 1)] * 2
    with services.requests() as requests:
        services(queue_event(capacity_job()))
    assert requests == ["ListTasks"], "the password was not kept"


def test_a_wrong_password_fails_the_message_and_reaches_no_log(services: Services, platform: CallPlatform) -> None:
    run_switches("ap-southeast-1", 1)
    platform.password = "another"
    assert failed(services(queue_event(capacity_job()))) == ["m0"]
    written = str(services.log)
    assert PASSWORD not in written
    assert base64.b64encode(f"services:{PASSWORD}".encode()).decode() not in written


def test_a_password_that_is_missing_fails_the_message(services: Services, platform: CallPlatform) -> None:
    run_switches("ap-southeast-1", 1)
    platform.password = "another"  # whatever is still known is refused
    boto3.client("ssm").delete_parameter(Name=PASSWORD_PARAMETER)
    assert failed(services(queue_event(capacity_job()))) == ["m0"]
    assert platform.capacities == []


def test_a_cluster_that_is_not_there_fails_the_message(services: Services, platform: CallPlatform) -> None:
    assert failed(services(queue_event(capacity_job(cluster="no-such-cluster")))) == ["m0"]
    assert platform.capacities == []


def test_a_platform_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambdas.services.call_platform._READ_SECONDS", 0.2)
    with CallPlatform("call-service", "secret") as platform:
        platform.delay = 30
        client = Client(CallPlatformSettings(platform.url, "call-service", "parameter"), lambda _: "secret")
        with pytest.raises(CallPlatformError, match="ReadTimeout"):
            client.update_capacity("hydrogen", 2)


def test_credentials_beyond_latin_1(services: Services) -> None:
    with CallPlatform("ស្វាគមន៍", "пароль") as platform:
        client = Client(CallPlatformSettings(platform.url, "ស្វាគមន៍", "parameter"), lambda _: "пароль")
        client.update_capacity("hydrogen", 2)
        assert platform.capacities == [("hydrogen", 2)]
