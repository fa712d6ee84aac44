"""What the tests of scale-in share: they run whole tasks beside each other, on loopback addresses of their own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.loopback import LoopbackNetwork


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this directory; each says which programs it needs."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(autouse=True)
def installed() -> None:
    """Nothing of what other end-to-end tests need is needed here."""


@pytest.fixture
def network() -> LoopbackNetwork:
    """Addresses for the hosts of one test."""
    return LoopbackNetwork()


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory with a short path: that of a Unix socket, and of a recording, may not be long."""
    with tempfile.TemporaryDirectory(prefix="scale-") as name:
        yield Path(name)
