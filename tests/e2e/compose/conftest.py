"""The system that `make compose` has started, as phones and a carrier on this machine see it."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from local import servers
from tests.support.dockerfiles import ROOT
from tests.support.sip_calls import Client

WANTED = "COMPOSE_RUNS"
SETTINGS = ROOT / "local" / ".env"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this directory, and skip them where nobody has said that the system runs."""
    reason = None if os.environ.get(WANTED) else f"{WANTED}=1 says that `make compose` has started the system here"
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.e2e)
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


@dataclass(frozen=True)
class Compose:
    """What was printed at its start.

    Attributes:
        address: HOST_ADDRESS, which is this machine's.
        settings: of local/.env.
        has_switch: whether FreeSWITCH's image was there.

    """

    address: str
    settings: dict[str, str]
    has_switch: bool

    def phone(self, port: int, password: str | None = None) -> Client:
        """Return a phone with the subscriber's name, and with its password or another."""
        known = password or self.settings["SIP_PASSWORD"]
        return Client(self.address, self.address, port=port, user=self.settings["SIP_USERNAME"], password=known)


@pytest.fixture(scope="session")
def compose() -> Compose:
    lines = [line.partition("=") for line in SETTINGS.read_text().splitlines()]
    without = os.environ.get("COMPOSE_WITHOUT_SWITCH")
    return Compose(os.environ["HOST_ADDRESS"], {name: value for name, _, value in lines}, not without)


@pytest.fixture(scope="session")
def aws() -> Callable[[str], Any]:
    """Makes clients of the emulator."""
    keys: Any = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}

    def client(service: str) -> Any:
        url = "http://127.0.0.1:4566"
        return boto3.client(service, endpoint_url=url, region_name=servers.REGION, **keys)

    return client


@pytest.fixture(scope="session")
def send_job(aws: Callable[[str], Any]) -> Callable[..., None]:
    """Gives the platform's jobs to the queue: a class, and its arguments."""
    stacks = aws("cloudformation").describe_stacks()["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for stack in stacks for each in stack.get("Outputs", ())}

    def send(job: str, *arguments: object) -> None:
        body = json.dumps({"job_class": job, "job_args": arguments})
        aws("sqs").send_message(QueueUrl=outputs["QueueUrl"], MessageBody=body)

    return send
