"""The scheduler as a process, between an emulated DynamoDB and a stand-in for OpenSIPS."""

import shutil
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from local import servers
from routing import RoutingRepository
from tests.fakes.opensips import FakeOpensips
from tests.support.network_link import NetworkLink
from tests.support.routing_tables import NAMES, create_tables
from tests.support.scheduler import Sidecar


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this directory: they start an emulator."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def dynamodb_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port = servers.free_port()
    server = servers.ecs_emulator(tmp_path_factory.mktemp("moto"), port)  # moto, of which DynamoDB is used here
    server.start()
    try:
        server.wait_until_ready(30)
        yield port
    finally:
        server.stop()


@pytest.fixture
def dynamodb(dynamodb_port: int) -> Any:
    """A DynamoDB client, with empty tables in place."""
    endpoint = f"http://{servers.HOST}:{dynamodb_port}"
    with urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST"), timeout=5):
        pass
    keys: Any = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    client = boto3.client("dynamodb", endpoint_url=endpoint, region_name=servers.REGION, **keys)
    create_tables(client)
    return client


@pytest.fixture
def repository(dynamodb: Any) -> RoutingRepository:
    return RoutingRepository(dynamodb, NAMES)


@pytest.fixture
def link(dynamodb_port: int, dynamodb: Any) -> Iterator[NetworkLink]:
    """The scheduler's way to DynamoDB."""
    with NetworkLink(dynamodb_port) as made:
        yield made


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory with a short path: a Unix socket's may have 107 characters."""
    path = Path(tempfile.mkdtemp(prefix="scheduler-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def sidecar(directory: Path, link: NetworkLink) -> Callable[..., Sidecar]:
    """Make a scheduler that waits to be started; quick settings unless others are given."""

    def make(kind: str = "public", **settings: str) -> Sidecar:
        quick = {"POLL_INTERVAL": "0.1", "METRICS_INTERVAL": "0.5"}
        return Sidecar(kind, directory, "127.0.0.1", link.url, {**quick, **settings})

    return make


class Supervisor:
    """Starts OpenSIPS when it may, and again whenever it has ended, as its container does."""

    def __init__(self, opensips: FakeOpensips) -> None:
        self.opensips, self.starts = opensips, 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self.opensips.stop()

    def _run(self) -> None:
        while not self._stopping.wait(0.05):
            if not self.opensips.running and (self.opensips.directory / "ready").exists():
                self.opensips.start()
                self.starts += 1


@pytest.fixture
def supervised(directory: Path) -> Iterator[Callable[[str], Supervisor]]:
    """Make a supervised OpenSIPS of a kind."""
    made: list[Supervisor] = []

    def make(kind: str) -> Supervisor:
        made.append(Supervisor(FakeOpensips(directory, kind)))
        return made[-1]

    yield make
    for each in made:
        each.stop()
