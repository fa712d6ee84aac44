"""Media proxies that answer are in use soon, and silent ones hold up nothing."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from opensips_scheduler.media_proxies import own_set
from routing import MediaProxy, PutSubscriber, PutTaskRow, RoutingRepository, Subscriber, TaskStamp
from tests.containers.opensips_scheduler.process.conftest import Supervisor
from tests.support.loopback import LoopbackNetwork
from tests.support.queue_events import DIGESTS
from tests.support.scheduler import Sidecar
from tests.support.waiting import until

STAMP = TaskStamp("task-a", 3, 1_000)
PORT = 2223


class Proxy:
    """Answers pings of the control protocol from when it is started."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = f"udp:{address}:{PORT}"
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def start(self) -> None:
        self._listener.bind((self.address, PORT))
        self._listener.settimeout(0.05)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                question, peer = self._listener.recvfrom(2048)
            except TimeoutError:
                continue
            self._listener.sendto(question.split(b" ")[0] + b" d6:result4:ponge", peer)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    made = Proxy(LoopbackNetwork().address())
    yield made
    made.stop()


@pytest.fixture
def silent() -> Iterator[str]:
    """A proxy that takes datagrams and never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind((LoopbackNetwork().address(), PORT))
        yield f"udp:{listener.getsockname()[0]}:{PORT}"


def test_a_proxy_is_in_use_within_two_seconds_of_answering_and_a_silent_one_holds_up_nothing(
    repository: RoutingRepository,
    sidecar: Callable[..., Sidecar],
    supervised: Callable[[str], Supervisor],
    proxy: Proxy,
    silent: str,
) -> None:
    repository.write([PutTaskRow(MediaProxy(each, 0), STAMP) for each in (silent, proxy.socket)])
    opensips = supervised("client").opensips
    with sidecar("client") as scheduler:
        until("the first copy", lambda: opensips.running and scheduler.health()["rows"].get("media_proxies") == 2)
        assert scheduler.health()["media_proxies"] == []
        digests = DIGESTS["md5_password"], DIGESTS["sha256_password"], DIGESTS["sha512_password"]
        repository.write([PutSubscriber(Subscriber("user1", *digests), 1)])
        until("a subscriber", lambda: scheduler.health()["rows"]["subscribers"] == 1, 2)
        proxy.start()
        until("the proxy", lambda: (0, proxy.socket) in opensips._proxies, 2)
        until("the report", lambda: scheduler.health()["media_proxies"] == [proxy.socket], 2)
        assert set(opensips._proxies) == {(0, proxy.socket), (own_set(proxy.socket), proxy.socket)}
        until("the metric", lambda: scheduler.metrics("MediaProxiesUsable")[-1]["MediaProxiesUsable"] == [1.0])
        proxy.stop()
        until("it to go", lambda: opensips._proxies == [], 4)
        until("the metric", lambda: scheduler.metrics("MediaProxiesUsable")[-1]["MediaProxiesUsable"] == [0.0])
        opensips.counters["calls_without_media_proxy"] = 2
        counted = "CallsWithoutMediaProxy"
        until("refused calls", lambda: any(line[counted] == [2.0] for line in scheduler.metrics(counted)))


def test_a_socket_that_is_none_is_skipped_by_name(
    repository: RoutingRepository, sidecar: Callable[..., Sidecar], supervised: Callable[[str], Supervisor]
) -> None:
    supervised("client")
    repository.write([PutTaskRow(MediaProxy("udp:proxy.example.org:2223", 0), STAMP)])
    with sidecar("client") as scheduler:
        until("the skipped row", lambda: scheduler.health().get("skipped"))
        assert "proxy.example.org" in scheduler.health()["skipped"][0]
        until("the metric", lambda: scheduler.metrics("RowSkipped"), 3)
        time.sleep(0.6)
        assert len(scheduler.metrics("RowSkipped")) == 1
