"""Fixtures of every test."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from moto import mock_aws
from moto.moto_api import state_manager

from tests.support import routing_tables
from tests.support.services_environment import AWS

# No deadline: how long an example takes says how busy the machine is. CI draws the same examples each time, so that it
# fails for what a change did; everywhere else each run looks at new ones.
settings.register_profile("project", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("project")


@pytest.fixture
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment in which no client can reach a real account."""
    for name, value in AWS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # no test looks at an image; loading them takes a second
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def aws(aws_environment: None) -> Iterator[None]:
    """An empty AWS account, emulated in this process."""
    # Left alone, moto lets a task die of being described.
    state_manager.set_transition("ecs::task", {"progression": "manual", "times": 1_000_000})
    # A new session would load every service model anew: half of the time that a test takes.
    with mock_aws(config={"core": {"reset_boto3_session": False}}):
        yield


@pytest.fixture
def dynamodb(aws: None) -> Any:
    """A DynamoDB client, with the routing tables in place."""
    client = routing_tables.client()
    routing_tables.create_tables(client)
    return client


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that none of them is all that is left to wait for at the end."""
    items.sort(key=lambda item: "e2e" not in item.path.parts)
