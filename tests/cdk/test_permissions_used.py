"""The services function is granted what it does: its requests on an emulated account against its role's actions."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.client import BaseClient

from lambdas.services.handler import handler
from routing import Table
from tests.cdk.conftest import Template
from tests.cdk.permissions import granted
from tests.cdk.used_actions import Action, actions_of
from tests.support.ecs_cluster import Cluster
from tests.support.ecs_events import task_event
from tests.support.queue_events import DIGESTS, job, queue_event
from tests.support.routing_tables import NAMES
from tests.support.services_environment import services_environment

PASSWORD_PARAMETER = "somleng.permissions.services_password"  # its own: Powertools remembers values by name
RECONCILE = {"source": "aws.events", "detail-type": "Scheduled Event"}
CONSTRUCTS = {NAMES[table]: f"Tables{table.value.title().replace('_', '')}" for table in Table}


@contextmanager
def noted() -> Iterator[set[Action]]:
    """Collect what is asked of AWS meanwhile."""
    actions: set[Action] = set()
    send = BaseClient._make_api_call  # type: ignore[attr-defined]

    def note_and_send(client: Any, operation: str, parameters: Any) -> Any:
        actions.update(actions_of(client.meta.service_model.service_name, operation, parameters, CONSTRUCTS))
        return send(client, operation, parameters)

    with patch.object(BaseClient, "_make_api_call", note_and_send):
        yield actions


@pytest.fixture
def events(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """One event of every kind that the function answers, with something to do for each."""
    queue_url = boto3.client("sqs").create_queue(QueueName="switch-services")["QueueUrl"]
    boto3.client("ssm").put_parameter(Name=PASSWORD_PARAMETER, Value="password", Type="SecureString")
    environment = services_environment(queue_url) | {
        "CALL_PLATFORM_PASSWORD_PARAMETER": PASSWORD_PARAMETER,
        "ECS_CLUSTERS": "somleng-switch",  # as every deployment sets it
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    home = Cluster("ap-southeast-1")
    Cluster("us-east-1")
    instance = home.add_instance(public=True)
    home.run("switch")
    tasks = []
    for name, group, ip in (("s", "switch", "10.1.1.1"), ("p", "media-proxy", None), ("g", "client-gateway", None)):
        where = None if ip else instance.container_instance_arn
        tasks += [
            task_event(name, group=f"service:{group}", ip=ip, container_instance=where, version=version, last_status=to)
            for version, to in ((1, "RUNNING"), (2, "STOPPED"))
        ]
    gone = task_event("gone", ip="10.1.1.9")
    jobs = [
        job("CreateOpenSIPSPermissionJob", "203.0.113.1", {"group_id": 0}),
        job("UpdateOpenSIPSPermissionJob", "203.0.113.1", {"group_id": 1}),
        job("CreateOpenSIPSSubscriberJob", {"username": "user1", **DIGESTS}),
        job("NotifySwitchCapacityChangeJob", {"region": "ap-southeast-1", "cluster": "somleng-switch", "family": "x"}),
    ]
    deletions = [
        job("DeleteOpenSIPSPermissionJob", "203.0.113.1"),
        job("DeleteOpenSIPSSubscriberJob", {"username": "user1"}),
    ]
    actions = [
        ("BuildClientGatewayDialString", {"client_identifier": "user1", "destination": "1"}),
        ("CreateDomain", {"domain": "sip.example.org"}),
    ]
    invocations = [{"serviceAction": name, "parameters": parameters} for name, parameters in actions]
    batches = [queue_event(*jobs, sent_at=[1, 2, 3, 4]), queue_event(*deletions, sent_at=[5, 6])]
    return [*tasks, gone, *batches, *invocations, RECONCILE]


def test_the_function_has_the_right_to_all_that_it_does_and_to_nothing_that_it_does_not(
    events: list[dict[str, Any]], services: Template
) -> None:
    with noted() as used:
        for event in events:
            handler(event, SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 60_000))
    constructs = {
        resource: next((name for name in CONSTRUCTS.values() if resource.startswith(f"<{name}")), "")
        for resource in granted(services, "ServicesRole")
    }
    allowed = {
        (constructs[resource], action)
        for resource, actions in granted(services, "ServicesRole").items()
        for action in actions
        # What Lambda itself does in the function's name: it polls the queue, keeps failures, and writes the log.
        if action.partition(":")[0] not in ("sqs", "logs")
    }
    assert used - {("", "sqs:SendMessage")} == allowed
    assert ("", "sqs:SendMessage") in used
