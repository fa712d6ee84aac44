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
from tests.support.services_environment import OPTIONAL, PASSWORD_PARAMETER, services_environment

PASSWORD = "platform-password"
CONTEXT = SimpleNamespace(
    aws_request_id="request-1", function_name="services", get_remaining_time_in_millis=lambda: 60_000
)


@dataclass(frozen=True)
class Services:
    """The function, and what lies around it."""

    queue_url: str
    _log: StringIO

    def __call__(self, event: Any) -> Any:
        return handler(event, CONTEXT)

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
    boto3.client("ssm").put_parameter(Name=PASSWORD_PARAMETER, Value=PASSWORD, Type="SecureString")
    for name, value in services_environment(queue_url).items():
        monkeypatch.setenv(name, value)
    for name in OPTIONAL:
        monkeypatch.delenv(name, raising=False)
    log = StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", log)
    return Services(queue_url, log)
