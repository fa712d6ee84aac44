"""What the tests of the gateways share: they run OpenSIPS and SIPp on loopback addresses of their own."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import media_proxy, opensips, sipp
from tests.support.loopback import LoopbackNetwork
from tests.support.media_proxy import MediaProxy
from tests.support.opensips import Gateway

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


SETTINGS = {"RING_TIMEOUT": "3", "ANSWER_TIMEOUT": "2", "PROBE_INTERVAL": "3600", "REGISTRATION_MINIMUM": "1"}
"""Short waits; and no OPTIONS to the switches, of which the scenarios of SIPp know nothing."""
PASSWORD = "correct horse"
"""The password of every client."""


@pytest.fixture
def public_gateway(network: LoopbackNetwork, directory: Path) -> Iterator[Gateway]:
    """A public gateway that knows nobody yet."""
    with Gateway("public", directory, network.address(), SETTINGS) as running:
        yield running


@pytest.fixture
def client_gateway(network: LoopbackNetwork, directory: Path) -> Iterator[Gateway]:
    """A client gateway that knows user1 and user2, and neither a switch nor a media proxy yet."""
    with Gateway("client", directory, network.address(), SETTINGS) as running:
        add_clients(running, "user1", "user2")
        yield running


@pytest.fixture(scope="session")
def shared_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MediaProxy]:
    """A media proxy for all tests; each call ends in its own test."""
    if media_proxy.BINARY is None:
        pytest.skip(media_proxy.MISSING)
    network = LoopbackNetwork()
    with MediaProxy(tmp_path_factory.mktemp("proxy"), network.address(), network.address()) as running:
        yield running


@pytest.fixture
def proxy(shared_proxy: MediaProxy) -> MediaProxy:
    """A media proxy that has no calls, and that no gateway of the test uses yet."""
    for call in shared_proxy.calls():  # of a test that failed
        shared_proxy.forget(call)
    return shared_proxy


def add_clients(gateway: Gateway, *names: str) -> None:
    """Have a client gateway know clients."""
    rows = []
    for name in names:
        identity = f"{name}:somleng.org:{PASSWORD}".encode()
        digests = hashlib.md5(identity).hexdigest(), hashlib.sha256(identity).hexdigest()
        rows.append((name, *digests, hashlib.new("sha512_256", identity).hexdigest()))
    statement = "INSERT INTO subscriber (username, ha1, ha1_sha256, ha1_sha512t256) VALUES (?, ?, ?, ?)"
    gateway.write(statement, rows)


def use_proxy(gateway: Gateway, *proxies: MediaProxy) -> None:
    """Have a client gateway use exactly these media proxies for new calls; one that it had keeps its own set."""
    gateway.write("DELETE FROM rtpengine WHERE set_id = 0")
    for each in proxies:
        _, second, third, fourth = (int(number) for number in each.address.split("."))
        gateway.write("DELETE FROM rtpengine WHERE socket = ?", [(each.socket,)])
        sets = [(each.socket, 0), (each.socket, second << 16 | third << 8 | fourth)]
        gateway.write("INSERT INTO rtpengine (socket, set_id) VALUES (?, ?)", sets)
    gateway.mi("rtpengine_reload")  # a soft one crashes OpenSIPS 3.6.8 as long as it knows no proxy


def target(address: str, group: int = 1, resource: str = "gw", port: int = 5060) -> tuple[int, str, str, str]:
    """Return a switch for Gateway.set_targets."""
    return group, resource, f"sip:{address}:{port}", f"{address}:8021"
