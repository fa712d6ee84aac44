"""What the drills share: an AWS that fails when it is told to, and the services function that uses it."""

import os
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto.moto_api import state_manager
from moto.server import ThreadedMotoServer

from lambdas.services.handler import _application, handler
from tests.support.faulty_aws import FaultyAws
from tests.support.queue_poller import QueuePoller
from tests.support.routing_tables import create_tables
from tests.support.services_environment import OPTIONAL, PASSWORD_PARAMETER, services_environment

PASSWORD = "platform-password"
MAXIMUM_RECEIVES = 10
"""queueMaxReceives of cdk.json."""
TIME_LIMIT = 60.0
"""servicesTimeoutSeconds of cdk.json."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the drills."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def emulator() -> Iterator[int]:
    """Port of an emulated AWS."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()[1]
    server.stop()


@pytest.fixture(scope="session")
def proxy(emulator: int) -> Iterator[FaultyAws]:
    with FaultyAws(emulator) as running:
        yield running


@pytest.fixture
def aws(proxy: FaultyAws, aws_environment: None, monkeypatch: pytest.MonkeyPatch) -> FaultyAws:
    """An empty account, which fails when it is told to; this process's AWS is it."""
    reset = urllib.request.Request(f"http://127.0.0.1:{proxy.port}/moto-api/reset", method="POST")
    with urllib.request.urlopen(reset, timeout=5):
        pass
    # Left alone, moto lets a task die of being described.
    state_manager.set_transition("ecs::task", {"progression": "manual", "times": 1_000_000})
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    create_tables(boto3.client("dynamodb"))
    return proxy


class Services:
    """The services function, which Lambda would end after `TIME_LIMIT`."""

    def __init__(self, queue_url: str) -> None:
        self.queue_url = queue_url

    def __call__(self, event: dict[str, Any]) -> Any:
        end = time.monotonic() + TIME_LIMIT
        context = SimpleNamespace(
            aws_request_id="request-1",
            function_name="services",
            get_remaining_time_in_millis=lambda: int(1000 * (end - time.monotonic())),
        )
        return handler(event, context)


def note(drill: str, **figures: float) -> None:
    """Append what was seen to the file that DRILL_FIGURES names; `docs/failure-drills.md` tells it."""
    if path := os.environ.get("DRILL_FIGURES"):
        told = ", ".join(f"{name} {round(value, 2):g}" for name, value in figures.items())
        with Path(path).open("a") as file:
            file.write(f"{drill}: {told}\n")


@pytest.fixture
def services(aws: FaultyAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """The function with its tables, its queue and the platform's password; nobody answers for the platform."""
    queue_url = boto3.client("sqs").create_queue(QueueName="switch-services")["QueueUrl"]
    boto3.client("ssm").put_parameter(Name=PASSWORD_PARAMETER, Value=PASSWORD, Type="SecureString")
    for name, value in services_environment(queue_url).items():
        monkeypatch.setenv(name, value)
    for name in OPTIONAL:
        monkeypatch.delenv(name, raising=False)
    _application.cache_clear()
    yield Services(queue_url)
    _application.cache_clear()


@pytest.fixture
def queue(services: Services) -> QueuePoller:
    """The function's queue and its poller."""
    return QueuePoller(boto3.client("sqs"), services.queue_url, MAXIMUM_RECEIVES)
