"""How a media proxy ends: live sessions have time to, and those that do not use it are cut off."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.containers.media_proxy.audio import listener, rtp
from tests.containers.media_proxy.ng import Media, NgClient
from tests.support import media_proxy
from tests.support.loopback import LoopbackNetwork
from tests.support.media_proxy import MediaProxy

pytestmark = pytest.mark.skipif(media_proxy.BINARY is None, reason=media_proxy.MISSING)
TOLD_TO_STOP = 143
"""128 and SIGTERM: what a shell ends with."""


@pytest.fixture
def network() -> LoopbackNetwork:
    return LoopbackNetwork()


@contextmanager
def proxy_with_call(network: LoopbackNetwork, directory: Path, limit: int) -> Iterator[tuple[MediaProxy, NgClient]]:
    """A media proxy that carries a call, and lets it end for `limit` seconds."""
    proxy = MediaProxy(directory, network.address(), network.address(), {"DRAIN_TIMEOUT": str(limit)})
    with proxy, NgClient(proxy.address) as gateway:
        session = Media("192.168.1.2", 4000).description()
        answer = gateway.ask(
            command="offer", call_id="call", from_tag="caller", sdp=session, direction=["public", "private"]
        )
        assert "6:result2:ok" in answer
        yield proxy, gateway


def running(proxy: MediaProxy) -> bool:
    assert proxy.process
    return proxy.process.poll() is None


def ends_within(proxy: MediaProxy, seconds: float) -> float:
    """Wait for its end, and return how long that took."""
    assert proxy.process
    began = time.monotonic()
    assert proxy.process.wait(seconds) == 0
    return time.monotonic() - began


def test_without_session_it_ends_at_once(network: LoopbackNetwork, tmp_path: Path) -> None:
    with MediaProxy(tmp_path, network.address(), network.address(), {"DRAIN_TIMEOUT": "60"}) as proxy:
        began = time.monotonic()
        assert proxy.stop() == 0
        assert time.monotonic() - began < 3
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as successor:
        successor.bind((proxy.address, 2223))


def test_a_live_session_ends_before_it_does(network: LoopbackNetwork, tmp_path: Path) -> None:
    with proxy_with_call(network, tmp_path, limit=60) as (proxy, gateway):
        assert proxy.process
        proxy.process.terminate()
        time.sleep(2.5)
        assert running(proxy)
        # The call is still served: it may be changed, and its gateway may ask.
        assert gateway.ask(command="ping") == "d6:result4:ponge"
        assert "7:created" in gateway.ask(command="query", call_id="call")
        assert proxy.is_healthy()
        gateway.ask(command="delete", call_id="call", from_tag="caller", delete_delay="0")
        ends_within(proxy, 5)
        assert "ends with sessions" not in proxy.log.read_text()


def test_audio_goes_on_until_the_session_ends(network: LoopbackNetwork, tmp_path: Path) -> None:
    with (
        listener(network.address()) as client,
        listener(network.address()) as switch,
        proxy_with_call(network, tmp_path, limit=60) as (proxy, gateway),
    ):
        session = Media(*switch.getsockname()).description()
        answer = gateway.ask(command="answer", call_id="call", from_tag="caller", to_tag="callee", sdp=session)
        answered = Media.of(answer)
        assert proxy.process
        proxy.process.terminate()
        for number in range(1, 31):
            client.sendto(rtp(number), (answered.address, answered.port))
            assert switch.recv(2000)[12:] == bytes([number]) * 160
            time.sleep(0.1)
        assert running(proxy)
        gateway.ask(command="delete", call_id="call", from_tag="caller", delete_delay="0")
        ends_within(proxy, 5)


def test_a_session_that_does_not_end_is_cut_off(network: LoopbackNetwork, tmp_path: Path) -> None:
    with proxy_with_call(network, tmp_path, limit=3) as (proxy, _):
        assert proxy.process
        proxy.process.terminate()
        assert ends_within(proxy, 8) > 2
        assert "ends with sessions that are not over" in proxy.log.read_text()


def test_told_twice_it_waits_no_longer(network: LoopbackNetwork, tmp_path: Path) -> None:
    with proxy_with_call(network, tmp_path, limit=60) as (proxy, _):
        assert proxy.process
        proxy.process.terminate()
        time.sleep(1)
        assert running(proxy)
        proxy.process.terminate()
        ends_within(proxy, 4)


def test_an_rtpengine_that_hangs_is_not_waited_for(network: LoopbackNetwork, tmp_path: Path) -> None:
    with proxy_with_call(network, tmp_path, limit=60) as (proxy, _):
        assert proxy.process
        rtpengine = proxy.rtpengine
        os.kill(rtpengine, signal.SIGSTOP)
        proxy.process.terminate()
        time.sleep(10)  # three questions, two seconds each
        os.kill(rtpengine, signal.SIGCONT)
        ends_within(proxy, 5)


def test_the_end_of_rtpengine_is_its_own_end(network: LoopbackNetwork, tmp_path: Path) -> None:
    with MediaProxy(tmp_path, network.address(), network.address()) as proxy:
        assert proxy.process
        os.kill(proxy.rtpengine, signal.SIGKILL)
        assert proxy.process.wait(5) == 128 + signal.SIGKILL


def test_told_before_rtpengine_runs_it_ends(network: LoopbackNetwork, tmp_path: Path) -> None:
    with socket.create_server((network.address(), 0)) as silent:  # metadata that never answers
        settings = {
            "ADVERTISED_ADDRESS": "instance-metadata",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://{}:{}".format(*silent.getsockname()),
        }
        proxy = MediaProxy(tmp_path, network.address(), network.address(), settings)
        process = proxy.launch()
        silent.accept()
        process.terminate()
        assert process.wait(10) == TOLD_TO_STOP
