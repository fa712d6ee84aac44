"""The media proxy's health check, against the real rtpengine and against what is none."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import media_proxy
from tests.support.loopback import LoopbackNetwork
from tests.support.media_proxy import MediaProxy

HEALTHCHECK = Path(__file__).resolve().parents[3] / "containers" / "media_proxy" / "healthcheck.sh"
TIMEOUT_OF_THE_CONTAINER = 5.0

needs_rtpengine = pytest.mark.skipif(media_proxy.BINARY is None, reason=media_proxy.MISSING)


@pytest.fixture
def network() -> LoopbackNetwork:
    return LoopbackNetwork()


@pytest.fixture
def proxy(network: LoopbackNetwork, tmp_path: Path) -> Iterator[MediaProxy]:
    with MediaProxy(tmp_path, network.address(), network.address()) as started:
        yield started


def check(address: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the health check, and fail when it takes longer than its container allows."""
    environment = {"PATH": os.environ["PATH"], "PRIVATE_ADDRESS": address, **settings}
    began = time.monotonic()
    ended = subprocess.run([HEALTHCHECK], env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert time.monotonic() - began < TIMEOUT_OF_THE_CONTAINER
    return ended


@needs_rtpengine
def test_a_proxy_that_answers_is_healthy(proxy: MediaProxy) -> None:
    ended = check(proxy.address)
    assert (ended.returncode, ended.stderr) == (0, "")


@needs_rtpengine
def test_it_asks_at_the_port_that_was_set(network: LoopbackNetwork, tmp_path: Path) -> None:
    with MediaProxy(tmp_path, network.address(), network.address(), {"NG_PORT": "2323"}) as proxy:
        assert check(proxy.address, NG_PORT="2323").returncode == 0
        assert check(proxy.address).returncode == 1


@needs_rtpengine
def test_a_proxy_that_has_ended_is_not_healthy(proxy: MediaProxy) -> None:
    proxy.stop()
    ended = check(proxy.address)
    assert ended.returncode == 1
    assert f"no answer from {proxy.address}:2223" in ended.stderr


@needs_rtpengine
def test_a_proxy_that_hangs_is_not_healthy(proxy: MediaProxy) -> None:
    os.kill(proxy.rtpengine, signal.SIGSTOP)
    try:
        ended = check(proxy.address)
    finally:
        os.kill(proxy.rtpengine, signal.SIGCONT)
    assert ended.returncode == 1
    assert f"no answer from {proxy.address}:2223" in ended.stderr
    assert check(proxy.address).returncode == 0


@pytest.mark.parametrize("answer", [b"other-cookie d6:result4:ponge", b"%s d6:result5:errore"])
def test_what_is_no_answer_to_this_ping_does_not_count(answer: bytes, network: LoopbackNetwork) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as impostor:
        impostor.bind((network.address(), 2223))
        impostor.settimeout(5)

        def reply() -> None:
            ping, sender = impostor.recvfrom(1000)
            cookie = ping.partition(b" ")[0]
            impostor.sendto(answer % cookie if b"%s" in answer else answer, sender)

        replying = threading.Thread(target=reply)
        replying.start()
        ended = check(impostor.getsockname()[0])
        replying.join()
    assert ended.returncode == 1
    assert "answers: " in ended.stderr
