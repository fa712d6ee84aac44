"""Only proxies that answer are in use, and a proxy that leaves keeps its calls."""

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from opensips_scheduler import schema
from opensips_scheduler.errors import UnusableRow
from opensips_scheduler.media_proxies import MISSES_ALLOWED, MediaProxies, own_set, ping
from routing import MediaProxy
from tests.support import media_proxy
from tests.support.loopback import LoopbackNetwork

FIRST, SECOND = "udp:10.0.1.2:2223", "udp:10.0.1.3:2223"


class Network:
    """Proxies of which some answer."""

    def __init__(self) -> None:
        self.answering: set[str] = set()

    def ask(self, sockets: Iterable[str]) -> set[str]:
        return set(sockets) & self.answering


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def proxies(tmp_path: Path, network: Network) -> MediaProxies:
    path = tmp_path / "routing.db"
    schema.create_routing_database(path)
    return MediaProxies(path, network.ask)


def sets(proxies: MediaProxies) -> set[tuple[str, int]]:
    connection = schema.connect(proxies.path)
    try:
        return set(connection.execute("SELECT socket, set_id FROM rtpengine"))
    finally:
        connection.close()


def test_a_proxy_is_in_use_from_its_first_answer(proxies: MediaProxies, network: Network) -> None:
    proxies.listed = {FIRST: MediaProxy(FIRST, 0)}
    assert not proxies.check()
    assert sets(proxies) == set()
    network.answering = {FIRST}
    assert proxies.check()
    assert sets(proxies) == {(FIRST, 0), (FIRST, 0x000102)}
    assert not proxies.check()


def test_a_silent_proxy_goes_after_three_misses_and_comes_back_with_an_answer(
    proxies: MediaProxies, network: Network
) -> None:
    proxies.listed = {each: MediaProxy(each, 0) for each in (FIRST, SECOND)}
    network.answering = {FIRST, SECOND}
    proxies.check()
    network.answering = {SECOND}
    assert [proxies.check() for _ in range(MISSES_ALLOWED)] == [False, False, True]
    assert proxies.usable() == {SECOND}
    network.answering = {FIRST, SECOND}
    assert proxies.check()
    assert proxies.usable() == {FIRST, SECOND}


def test_a_proxy_that_leaves_the_table_keeps_its_own_set_while_it_answers(
    proxies: MediaProxies, network: Network
) -> None:
    proxies.listed = {FIRST: MediaProxy(FIRST, 0)}
    network.answering = {FIRST}
    proxies.check()
    proxies.listed = {}
    assert proxies.check()
    assert sets(proxies) == {(FIRST, own_set(FIRST))}
    network.answering = set()
    for _ in range(MISSES_ALLOWED):
        proxies.check()
    assert sets(proxies) == set()


@pytest.mark.parametrize(
    "value", ["tcp:10.0.0.1:2223", "udp:proxy:2223", "udp:[::1]:2223", "udp:10.0.0.1", "udp:10.0.0.1:0"]
)
def test_a_socket_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(UnusableRow, match="socket"):
        own_set(value)


@pytest.fixture
def silent() -> Iterator[str]:
    """A host whose port takes datagrams and never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        yield f"udp:127.0.0.1:{listener.getsockname()[1]}"


def test_a_proxy_answers_beside_a_silent_and_a_closed_one(silent: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]

        def answer() -> None:
            question, peer = listener.recvfrom(2048)
            listener.sendto(question.split(b" ")[0] + b" d6:result4:ponge", peer)

        thread = threading.Thread(target=answer)
        thread.start()
        began = time.monotonic()
        assert ping([f"udp:127.0.0.1:{port}", silent, "udp:127.0.0.1:1"], 0.3) == {f"udp:127.0.0.1:{port}"}
        assert time.monotonic() - began < 1
        thread.join()


@pytest.mark.skipif(media_proxy.BINARY is None, reason=media_proxy.MISSING)
def test_rtpengine_answers(tmp_path: Path) -> None:
    addresses = LoopbackNetwork()
    with media_proxy.MediaProxy(tmp_path, addresses.address(), addresses.address()) as proxy:
        assert ping([proxy.socket], 2) == {proxy.socket}
    assert ping([proxy.socket], 0.2) == set()
