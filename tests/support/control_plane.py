"""The services function on an AWS that other processes reach as well."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from local import servers
from tests.support.queue_events import failed, job, queue_event
from tests.support.routing_tables import create_tables
from tests.support.services_environment import services_environment


class Services:
    """The services function on an emulated AWS."""

    def __init__(self) -> None:
        from lambdas.services.handler import handler

        self._handler = handler
        self._context: Any = SimpleNamespace(
            function_name="services", aws_request_id="request", get_remaining_time_in_millis=lambda: 60_000
        )

    def event(self, event: dict[str, Any]) -> Any:
        """Hand an event over."""
        return self._handler(event, self._context)

    def job(self, job_class: str, *arguments: Any) -> None:
        """Hand over a message of the queue; it must be done."""
        response = self.event(queue_event(job(job_class, *arguments), sent_at=[int(time.time() * 1000)]))
        assert failed(response) == []

    def dial_string(self, client: str) -> dict[str, Any]:
        """Ask where a client is called."""
        parameters = {"client_identifier": client, "destination": "1234"}
        return dict(self.event({"serviceAction": "BuildClientGatewayDialString", "parameters": parameters}))


@contextmanager
def emulated_aws(directory: Path) -> Iterator[str]:
    """Emulate AWS over HTTP, and say where."""
    port = servers.free_port()
    server = servers.ecs_emulator(directory, port)
    server.start()
    try:
        server.wait_until_ready(30)
        yield f"http://{servers.HOST}:{port}"
    finally:
        server.stop()


@contextmanager
def services_function(endpoint: str) -> Iterator[Services]:
    """Have the function, its tables and its queue; this process's AWS is that of the endpoint meanwhile."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {**servers.credentials(), "AWS_ENDPOINT_URL": endpoint}.items():
            environment.setenv(name, value)
        create_tables(boto3.client("dynamodb"))
        queue = boto3.client("sqs").create_queue(QueueName="switch-services")["QueueUrl"]
        for name, value in services_environment(queue).items():
            environment.setenv(name, value)
        yield Services()
