"""The services function in an emulated account."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.client import BaseClient

from lambdas.services.handler import handler, logger
from tests.support.routing_tables import ENVIRONMENT

REGION_DATA = [
    {
        "identifier": "ap-southeast-1",
        "alias": "hydrogen",
        "group_id": 1,
        "human_name": "South East Asia (Singapore)",
        "nat_ip": "13.250.230.15",
    },
    {
        "identifier": "us-east-1",
        "alias": "helium",
        "group_id": 2,
        "human_name": "North America (N. Virginia, USA)",
        "nat_ip": "52.4.242.134",
    },
]
PASSWORD = "platform-password"


@dataclass(frozen=True)
class Services:
    """The function, and what lies around it."""

    queue_url: str
    _log: StringIO

    def __call__(self, event: Any) -> Any:
        return handler(event, SimpleNamespace(aws_request_id="request-1", function_name="services"))

    @property
    def log(self) -> list[dict[str, Any]]:
        """The lines that the function has logged."""
        return [json.loads(line) for line in self._log.getvalue().splitlines()]

    @contextmanager
    def requests(self) -> Iterator[list[str]]:
        """Collect the names of the AWS operations that are asked for meanwhile."""
        operations: list[str] = []
        send = BaseClient._make_api_call  # type: ignore[attr-defined]

        def note_and_send(client: Any, operation: str, parameters: Any) -> Any:
            operations.append(operation)
            return send(client, operation, parameters)

        with patch.object(BaseClient, "_make_api_call", note_and_send):
            yield operations

    def queued(self) -> list[dict[str, Any]]:
        """Take what the function left in its queue."""
        messages = boto3.client("sqs").receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in messages.get("Messages", [])]


@pytest.fixture
def services(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Services:
    """The services function with its tables, its queue and the platform's password."""
    queue_url = boto3.client("sqs").create_queue(QueueName="switch-services")["QueueUrl"]
    boto3.client("ssm").put_parameter(Name="somleng.test.services_password", Value=PASSWORD, Type="SecureString")
    environment = {
        **ENVIRONMENT,
        "SWITCH_GROUP": "service:switch",
        "MEDIA_PROXY_GROUP": "service:media-proxy",
        "CLIENT_GATEWAY_GROUP": "service:client-gateway",
        "REGION_DATA": json.dumps(REGION_DATA),
        "QUEUE_URL": queue_url,
        "CALL_PLATFORM_HOST": "http://127.0.0.1:9",  # the discard port: nothing answers there
        "CALL_PLATFORM_USERNAME": "services",
        "CALL_PLATFORM_PASSWORD_PARAMETER": "somleng.test.services_password",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for name in (
        "ECS_CLUSTERS",
        "FS_SIP_PORT",
        "FS_SIP_ALTERNATIVE_PORT",
        "FS_EVENT_SOCKET_PORT",
        "MEDIA_PROXY_NG_PORT",
    ):
        monkeypatch.delenv(name, raising=False)
    log = StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", log)
    return Services(queue_url, log)
