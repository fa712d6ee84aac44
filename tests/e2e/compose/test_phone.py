"""A phone on this machine, and the system that compose runs."""

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.compose.conftest import Compose
from tests.support.rtp import AudioSocket
from tests.support.sip_calls import Client
from tests.support.sip_message import Message, audio_address
from tests.support.sip_peer import Leg
from tests.support.speech_codec import decode, loudness
from tests.support.waiting import until

_AUDIO_PORT = 45_678
_SILENCE = 0xFF
"""Of G.711 µ-law."""
_SPEECH = 500.0
"""Louder than any noise of a silent line, on the scale of 16 bits."""


def registrations(aws: Callable[[str], Any], user: str) -> list[Any]:
    name = aws("ssm").get_parameter(Name="/somleng-switch/local/tables/registrations")["Parameter"]["Value"]
    found = aws("dynamodb").scan(TableName=name)["Items"]
    return [item for item in found if item["username"]["S"] == user]


def offer(address: str) -> str:
    """Return a session description of G.711 µ-law."""
    lines = ["v=0", f"o=phone 1 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0"]
    lines += [f"m=audio {_AUDIO_PORT} RTP/AVP 0", "a=rtpmap:0 PCMU/8000", ""]
    return "\n".join(lines)


def test_it_registers_and_the_tables_know(compose: Compose, aws: Callable[[str], Any]) -> None:
    with compose.phone(5071) as phone:
        assert phone.register().first_line == "SIP/2.0 200 OK"
        until("the registration to be in the table", lambda: registrations(aws, phone.user), 10)
        assert phone.register(expires=0).first_line == "SIP/2.0 200 OK"


def test_a_wrong_password_is_refused(compose: Compose) -> None:
    with compose.phone(5072, password="wrong") as phone:
        assert phone.register().first_line.startswith("SIP/2.0 401")


def test_it_calls_and_hears_the_customers_document(compose: Compose) -> None:
    if not compose.has_switch:
        pytest.skip("there is no switch: FreeSWITCH's image takes a token")
    with compose.phone(5073) as phone, AudioSocket(compose.address, _AUDIO_PORT) as line:
        phone.invite("85512334667", body=offer(compose.address))
        accepted = answered(phone)
        leg = Leg.of_caller(phone, accepted)
        leg.send("ACK")
        proxy = audio_address(accepted)
        assert proxy[0] == compose.address
        assert 30_000 <= proxy[1] < 30_100
        heard = [sample for packet in listen(line, proxy, seconds=6) for sample in decode(packet)]
        leg.send("BYE")
        phone.receive("SIP/2.0 200")
    assert len(heard) > 8_000 * 3
    assert loudness(heard) > _SPEECH


def test_a_call_without_a_switch_is_told_so(compose: Compose) -> None:
    if compose.has_switch:
        pytest.skip("there is a switch")
    with compose.phone(5074) as phone:
        phone.invite("85512334667")
        assert phone.receive("SIP/2.0 5", seconds=40).first_line.startswith("SIP/2.0 500")


def test_the_platform_knows_the_capacity(compose: Compose) -> None:
    """Task states became rows, a job of the queue, and a request of the services function to the platform."""
    with urllib.request.urlopen("http://127.0.0.1:3001/capacities", timeout=5) as answer:
        assert {"region": "hydrogen", "capacity": 1} in json.load(answer)


def answered(phone: Client) -> Message:
    """Return the final answer to an INVITE, which must be that it is taken."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        message = phone.receive("SIP/2.0")
        status = int(message.first_line.split()[1])
        assert status <= 200, message.first_line
        if status == 200:
            return message
    raise AssertionError("nobody answers")


def listen(line: AudioSocket, proxy: tuple[str, int], seconds: int) -> list[bytes]:
    """Say nothing, as phones do, and return what comes back meanwhile."""
    heard = []
    for _ in range(seconds * 5):
        line.say(_SILENCE, proxy, packets=10)
        heard += line.packets()
    return heard
