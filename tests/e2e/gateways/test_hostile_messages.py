"""What is malformed does no harm."""

import itertools
import random
from collections.abc import Iterator

import pytest

from tests.support.loopback import LoopbackNetwork
from tests.support.opensips import Gateway
from tests.support.sip_calls import Client
from tests.support.sip_message import Message, audio, build
from tests.support.sip_peer import Headers, Peer

_SEED = 20_260_307
_HEADERS = (
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Contact",
    "Max-Forwards",
    "Content-Length",
    "Content-Type",
    "Authorization",
)


@pytest.fixture(params=["public", "client"])
def gateway(request: pytest.FixtureRequest) -> Gateway:
    running: Gateway = request.getfixturevalue(f"{request.param}_gateway")
    return running


def request_text(method: str, address: str, gateway: str) -> str:
    own = [
        ("Via", f"SIP/2.0/UDP {address}:5060;branch=z9hG4bKx"),
        ("Max-Forwards", "70"),
        ("From", f"<sip:user1@{gateway}>;tag=a"),
        ("To", f"<sip:1234@{gateway}>"),
        ("Call-ID", "garbage"),
        ("CSeq", f"1 {method}"),
        ("Contact", f"<sip:user1@{address}:5060>"),
        (
            "Authorization",
            f'Digest username="user1", realm="somleng.org", nonce="x", uri="sip:{gateway}", response="y"',
        ),
    ]
    return build(f"{method} sip:1234@{gateway} SIP/2.0", own, audio(address, 4000))


def garbage(text: str) -> Iterator[bytes]:
    """Yield messages that are wrong in one way or another; the first Via, by which they are answered, stays."""
    chosen = random.Random(_SEED)
    for name in _HEADERS:
        start = text.index(f"\r\n{name}:")
        end = text.index("\r\n", start + 2)
        for value in ("", "-1", "4294967296", "99999999999999999999", "\0", "<", '"', ";=,@", "a" * 30_000, "\xff\xfe"):
            yield f"{text[:start]}\r\n{name}: {value}{text[end:]}".encode("latin-1")
        yield (text[:start] + text[end:]).encode()
        yield (text[:end] + text[start:end] * 200 + text[end:]).encode()
    for line in (
        "",
        "\0",
        "INVITE",
        "INVITE sip: SIP/2.0",
        "INVITE sip:1@[::1 SIP/2.0",
        "SIP/2.0 999999 x",
        "SIP/2.0 200 OK",
    ):
        yield (line + text[text.index("\r\n") :]).encode()
    protected = text.index("\r\nMax-Forwards")
    for _ in range(150):
        changed = bytearray(text.encode())
        for _ in range(chosen.randint(1, 12)):
            changed[chosen.randrange(protected, len(changed))] = chosen.randrange(256)
        yield bytes(changed)
    for _ in range(50):
        yield text.encode()[: chosen.randrange(len(text))]
        yield chosen.randbytes(chosen.randint(1, 1400))


def test_garbage_does_not_take_a_gateway_down(gateway: Gateway, network: LoopbackNetwork) -> None:
    with Peer(network.address()) as peer:
        if gateway.kind == "public":
            gateway.set_addresses((1, peer.address))
        processes = process_ids(gateway)
        number = itertools.count()
        for method in ("INVITE", "REGISTER"):
            for message in garbage(request_text(method, peer.address, gateway.address)):
                peer.send(message, gateway.address)
                if next(number) % 20 == 0:
                    assert options(peer, gateway, next(number)).first_line == "SIP/2.0 200 OK"
        assert options(peer, gateway, next(number)).first_line == "SIP/2.0 200 OK"
        assert process_ids(gateway) >= processes
        if gateway.kind == "client":
            with Client(network.address(), gateway.address) as client:
                assert client.register().first_line == "SIP/2.0 200 OK"
    assert "CRITICAL" not in gateway.log_text()


def process_ids(gateway: Gateway) -> set[int]:
    return {each["PID"] for each in gateway.mi("ps")["Processes"]}


def options(peer: Peer, gateway: Gateway, number: int) -> Message:
    """Ask the gateway, and return its answer to this question."""
    own: Headers = [("From", "<sip:a@a>;tag=a"), ("To", "<sip:b@b>"), ("Call-ID", f"o{number}"), ("CSeq", "1 OPTIONS")]
    peer.request("OPTIONS", f"sip:{gateway.address}", own, (gateway.address, 5060))
    while True:
        response = peer.receive("SIP/2.0")
        if response.headers("Call-ID") == [f"o{number}"]:
            return response
