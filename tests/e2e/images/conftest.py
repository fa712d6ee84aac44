"""The images, built once for all tests of this directory."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import servers
from tests.support import images
from tests.support.images import ImageStore
from tests.support.loopback import LoopbackNetwork

DEBIAN = "docker.io/library/debian:bookworm-slim"
PYTHON = "docker.io/library/python:3.13-slim-trixie"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this directory, and skip them where no image can be built."""
    reason = images.missing()
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.e2e)
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def store() -> Iterator[ImageStore]:
    """The images that need no repository but Debian's and PyPI, and the bases."""
    directory = Path(tempfile.mkdtemp(prefix="images-"))
    made = ImageStore(directory)
    made.make_base(DEBIAN, "bookworm")
    made.make_python_base(PYTHON, "trixie")
    made.build(
        "media-proxy", "gateway-scheduler", "switch-webserver", "switch-app", "freeswitch-event-logger", "operator"
    )
    yield made
    made.remove()


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[str]:
    """The URL of an emulated AWS account."""
    port = servers.free_port()
    server = servers.ecs_emulator(tmp_path, port)
    server.start()
    try:
        server.wait_until_ready(30)
        yield f"http://{servers.HOST}:{port}"
    finally:
        server.stop()


@pytest.fixture
def network() -> LoopbackNetwork:
    """Addresses for the hosts of one test."""
    return LoopbackNetwork()
