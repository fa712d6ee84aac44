"""What the tests of the gateways share: they run OpenSIPS and SIPp on loopback addresses of their own."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import opensips, sipp
from tests.support.loopback import LoopbackNetwork

SCENARIOS = Path(__file__).parent / "scenarios"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this directory, and skip them where a program is missing."""
    for item in items:
        if not item.path.is_relative_to(Path(__file__).parent):
            continue
        item.add_marker(pytest.mark.e2e)
        for binary, reason in ((opensips.BINARY, opensips.MISSING), (sipp.BINARY, sipp.MISSING)):
            if binary is None:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def network() -> LoopbackNetwork:
    """Addresses for the hosts of one test."""
    return LoopbackNetwork()


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory with a short path: a Unix socket's may have 107 characters."""
    path = Path(tempfile.mkdtemp(prefix="gateway-"))
    yield path
    shutil.rmtree(path)
