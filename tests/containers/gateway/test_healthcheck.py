"""The gateway's health check, against what answers SIP over UDP and what does not."""

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.loopback import LoopbackNetwork

HEALTHCHECK = Path(__file__).resolve().parents[3] / "containers" / "gateway" / "healthcheck.sh"
TIMEOUT_OF_THE_CONTAINER = 5.0


@pytest.fixture
def address() -> str:
    return LoopbackNetwork().address()


@contextmanager
def peer(address: str, answer: Callable[[bytes], bytes | None], port: int = 5060) -> Iterator[list[bytes]]:
    """Answer one datagram at an address; give what came."""
    received: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind((address, port))
        listening.settimeout(5)

        def reply() -> None:
            request, sender = listening.recvfrom(65_535)
            received.append(request)
            if said := answer(request):
                listening.sendto(said, sender)

        replying = threading.Thread(target=reply)
        replying.start()
        yield received
        replying.join()


def check(address: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the health check, and fail when it takes longer than its container allows."""
    environment = {"PATH": os.environ["PATH"], "SIP_LISTEN_ADDRESS": address, **settings}
    began = time.monotonic()
    ended = subprocess.run([HEALTHCHECK], env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert time.monotonic() - began < TIMEOUT_OF_THE_CONTAINER
    return ended


def response(status: str) -> Callable[[bytes], bytes]:
    """Answer with a status, and the headers that a response copies (RFC 3261, section 8.2.6.2)."""

    def answer(request: bytes) -> bytes:
        copied = [
            line for line in request.split(b"\r\n") if line.split(b":")[0] in (b"Via", b"From", b"To", b"Call-ID")
        ]
        return b"\r\n".join([b"SIP/2.0 " + status.encode(), *copied, b"Content-Length: 0", b"", b""])

    return answer


def test_a_gateway_that_answers_ok_is_healthy(address: str) -> None:
    with peer(address, response("200 OK")):
        ended = check(address)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_it_asks_with_one_whole_request(address: str) -> None:
    with peer(address, response("200 OK"), port=5070) as received:
        assert check(address, SIP_PORT="5070").returncode == 0
    head, _, body = received[0].partition(b"\r\n\r\n")
    assert body == b""
    request, *lines = head.decode().split("\r\n")
    assert request == f"OPTIONS sip:{address}:5070 SIP/2.0"
    headers = dict(line.split(": ", 1) for line in lines)
    # What every request must have (RFC 3261, section 8.1.1).
    assert headers.keys() >= {"To", "From", "CSeq", "Call-ID", "Max-Forwards", "Via"}
    assert ";branch=z9hG4bK" in headers["Via"]
    assert ";tag=" in headers["From"]
    assert headers["CSeq"] == "1 OPTIONS"


@pytest.mark.parametrize("status", ["503 Service Unavailable", "2000 OK", "404 Not Here"])
def test_a_gateway_that_answers_otherwise_is_not_healthy(status: str, address: str) -> None:
    with peer(address, response(status)):
        ended = check(address)
    assert ended.returncode == 1
    assert f"{address}:5060 answers: SIP/2.0 {status}" in ended.stderr


def test_a_gateway_that_hangs_is_not_healthy(address: str) -> None:
    with peer(address, lambda _: None):
        ended = check(address)
    assert ended.returncode == 1
    assert f"no answer from {address}:5060" in ended.stderr


def test_a_gateway_that_does_not_run_is_not_healthy(address: str) -> None:
    ended = check(address)
    assert ended.returncode == 1
    assert f"no answer from {address}:5060" in ended.stderr
