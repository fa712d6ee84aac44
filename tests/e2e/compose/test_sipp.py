"""SIPp on this machine as carrier and as client of the system that compose runs, by the ports that it publishes."""

import json
import re
import secrets
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.compose.conftest import Compose
from tests.e2e.gateways.conftest import SCENARIOS as OF_GATEWAYS
from tests.support import sip_calls, sipp
from tests.support.sip_message import Message, audio_address
from tests.support.sip_peer import Peer
from tests.support.sipp import Sipp
from tests.support.waiting import until

OWN = Path(__file__).parent / "scenarios"
PUBLIC_PORTS = (5070, 5080)
"""Of the public gateway: each leads to another port of the switch."""
_ELSEWHERE = "192.0.2.140"
_CARRIER_PORT, _PROBE_PORT, _CLIENT_PORT = 5081, 5082, 5083
_CALL_SECONDS = 60.0
"""For all of a call: the customer speaks, waits ten seconds for digits, and speaks again."""
_PAUSE_SECONDS = 4.0
"""Before keys are pressed, and until they are: SIPp takes 0.35 seconds for each, and goes on meanwhile."""

pytestmark = pytest.mark.skipif(sipp.BINARY is None, reason=sipp.MISSING)
Place = Callable[..., Sipp]


@pytest.fixture
def switch(compose: Compose) -> None:
    """Needs a switch."""
    if not compose.has_switch:
        pytest.skip("there is no switch: FreeSWITCH's image takes a token")


@pytest.fixture
def keys(switch: None) -> None:
    """Needs a switch, and a SIPp that may press keys."""
    if not sipp.can_press():
        pytest.skip(sipp.CANNOT_PRESS)


@pytest.fixture
def number() -> str:
    """A number that nobody has called since the system was started."""
    return f"855{secrets.randbelow(10**9):09}"


@pytest.fixture
def carrier(compose: Compose, tmp_path: Path) -> Place:
    """Places a call as a carrier, and returns it when it has gone as its scenario says."""

    def place(scenario: Path, *, port: int = PUBLIC_PORTS[0], talk: float = 0.5, **known: str) -> Sipp:
        return sipp.run(
            scenario,
            tmp_path,
            compose.address,
            seconds=_CALL_SECONDS,
            port=_CARRIER_PORT,
            remote=f"{compose.address}:{port}",
            keys=known,
            talk=talk,
            options=("-mp", "46000"),
        )

    return place


@pytest.fixture(scope="module")
def permission(compose: Compose, send_job: Callable[..., None]) -> Iterator[None]:
    """Has the platform permit this machine's address, as long as the tests of this file run.

    It is the address that the gateway sees: where Docker translates addresses, that is not this machine's. An answer
    says it in a Via that names another (RFC 3261, section 18.2.1).
    """
    uri, to = f"sip:{compose.address}:{PUBLIC_PORTS[0]}", (compose.address, PUBLIC_PORTS[0])
    with Peer(compose.address, _PROBE_PORT, says=_ELSEWHERE) as peer:

        def refusal() -> Message:
            # To no number: who is permitted is told so, and no call comes of it.
            sip_calls.invite(peer, uri, to)
            answer = peer.receive("SIP/2.0 4")
            sip_calls.acknowledge_refusal(peer, uri, to, answer)
            return answer

        seen = re.search(r";received=([\d.]+)", refusal().header("Via"))
        assert seen
        send_job("CreateOpenSIPSPermissionJob", seen[1], {"group_id": 1})
        try:
            until("the gateway to know the carrier", lambda: " 484 " in refusal().first_line, 30)
            yield
        finally:
            send_job("DeleteOpenSIPSPermissionJob", seen[1])
            until("the gateway to forget the carrier", lambda: " 403 " in refusal().first_line, 30)


# Before the permission is there.
@pytest.mark.parametrize("port", PUBLIC_PORTS)
def test_a_carrier_that_is_not_permitted_gets_403(carrier: Place, port: int, number: str) -> None:
    call = carrier(OF_GATEWAYS / "carrier_gets_403.xml", port=port, number=number)
    assert not call.received("SIP/2.0 2")


@pytest.mark.usefixtures("permission")
def test_a_carrier_is_refused_where_there_is_no_switch(compose: Compose, carrier: Place, number: str) -> None:
    if compose.has_switch:
        pytest.skip("there is a switch")
    call = carrier(OF_GATEWAYS / "carrier_gets_500.xml", number=number)
    assert not call.received("SIP/2.0 2")


@pytest.mark.usefixtures("permission", "switch")
@pytest.mark.parametrize("port", PUBLIC_PORTS)
def test_a_carrier_is_answered_and_hangs_up(compose: Compose, carrier: Place, port: int, number: str) -> None:
    call = carrier(OF_GATEWAYS / "carrier_calls.xml", port=port, number=number)
    (accepted,) = call.received("SIP/2.0 200")[:1]
    # What the carrier says next comes back to where it called, not to where the gateway is in its network.
    assert accepted.headers("Record-Route")[-1].startswith(f"<sip:{compose.address}:{port};")
    (hung_up,) = call.received("SIP/2.0 200")[1:]
    assert hung_up.header("CSeq").endswith("BYE")


@pytest.mark.usefixtures("permission", "keys")
def test_a_carrier_presses_digits(carrier: Place, number: str) -> None:
    carrier(OWN / "carrier_presses.xml", number=number, digits="0159#", talk=_PAUSE_SECONDS)
    assert digits_pressed(number) == ["0159"]


@pytest.mark.usefixtures("permission", "switch")
def test_a_carrier_is_hung_up(carrier: Place, number: str) -> None:
    """By the customer's document, which is at its end when nobody presses anything."""
    call = carrier(OF_GATEWAYS / "carrier_is_hung_up.xml", number=number)
    assert call.received("BYE")
    assert digits_pressed(number) == []


# --- a client


@pytest.fixture
def client(compose: Compose, tmp_path: Path) -> Place:
    """Lets a client begin a scenario, with the subscriber's password or another."""
    user = compose.settings["SIP_USERNAME"]

    def begin(scenario: Path, *, password: str | None = None, talk: float = 0.5, **known: str) -> Sipp:
        known_password = password or compose.settings["SIP_PASSWORD"]
        return Sipp(
            scenario,
            tmp_path,
            compose.address,
            port=_CLIENT_PORT,
            remote=f"{compose.address}:5060",
            keys={"user": user, "aor": user, **known},
            talk=talk,
            options=("-mp", "46010", "-au", user, "-ap", known_password),
        )

    return begin


def test_a_wrong_password_never_gets_200(client: Place, number: str) -> None:
    with client(OF_GATEWAYS / "client_registration_gets_401.xml", password="wrong", expires="60") as registration:
        registration.wait()
    with client(OF_GATEWAYS / "client_calls.xml", password="wrong", number=number) as call:
        until("the second refusal", lambda: len(call.received("SIP/2.0 407")) == 2)
    for each in (registration, call):
        assert not each.received("SIP/2.0 2")


def test_a_client_registers(client: Place) -> None:
    with client(OF_GATEWAYS / "client_registers.xml", expires="60") as registration:
        registration.wait()
    (granted,) = registration.received("SIP/2.0 200")
    assert f":{_CLIENT_PORT}>" in granted.header("Contact")


@pytest.mark.usefixtures("keys")
def test_a_client_presses_digits_through_the_media_proxy(compose: Compose, client: Place, number: str) -> None:
    with client(OF_GATEWAYS / "client_registers.xml", expires="60") as registration:
        registration.wait()
    with client(OWN / "client_presses.xml", number=number, digits="27*#", talk=_PAUSE_SECONDS) as call:
        call.wait(_CALL_SECONDS)
    host, port = audio_address(call.received("SIP/2.0 200")[0])
    assert host == compose.address
    assert 30_000 <= port < 30_100
    assert digits_pressed(number) == ["27*"]


@pytest.mark.usefixtures("switch")
def test_a_client_is_hung_up(client: Place, number: str) -> None:
    # The platform takes calls of numbers in full (E.164) alone.
    with client(OF_GATEWAYS / "client_is_hung_up.xml", number=number, identity="85510777002") as call:
        call.wait(_CALL_SECONDS)
    assert call.received("BYE")


def digits_pressed(number: str) -> list[str]:
    """Return what the customer was told of calls to a number."""
    with urllib.request.urlopen("http://127.0.0.1:3002/pressed", timeout=5) as answer:
        pressed: list[dict[str, Any]] = json.load(answer)
    return [each["digits"] for each in pressed if each["to"].lstrip("+") == number]
