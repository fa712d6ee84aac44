"""Public gateways that carriers know by one address: a call's requests may come to another than its first."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.gateways.conftest import SETTINGS, target
from tests.support.loopback import LoopbackNetwork
from tests.support.opensips import Gateway
from tests.support.sip_calls import invite
from tests.support.sip_message import audio
from tests.support.sip_peer import Leg, Peer


@pytest.fixture
def advertised(network: LoopbackNetwork) -> str:
    return network.address()


@pytest.fixture
def gateways(network: LoopbackNetwork, advertised: str) -> Iterator[tuple[Gateway, Gateway]]:
    with ExitStack() as stack:
        started = []
        for _ in range(2):
            directory = Path(tempfile.mkdtemp(prefix="gateway-"))
            stack.callback(shutil.rmtree, directory)
            settings = {**SETTINGS, "SIP_ADVERTISED_ADDRESS": advertised}
            started.append(stack.enter_context(Gateway("public", directory, network.address(), settings)))
        yield started[0], started[1]


def live_calls(gateway: Gateway) -> int:
    """Return how many calls a gateway that is told to stop would wait for."""
    return int(gateway.mi("profile_get_size", profile="calls")["Profile"]["count"])


def test_a_gateway_that_does_not_know_a_call_brings_its_requests_to_the_switch(
    gateways: tuple[Gateway, Gateway], advertised: str, network: LoopbackNetwork
) -> None:
    first, second = gateways
    # What the carrier sends after its INVITE comes to the second.
    behind = {advertised: second.address}
    with Peer(network.address(), reaches=behind) as carrier, Peer(network.address()) as switch:
        for gateway in gateways:
            gateway.set_addresses((1, carrier.address))
            gateway.set_targets(target(switch.address))
        invite(carrier, f"sip:1234@{advertised}", (first.address, 5060))
        offer = switch.receive("INVITE")
        contact = [("Contact", f"<sip:switch@{switch.address}:5060>")]
        switch.respond(offer, "200 OK", tag="switch", headers=contact, body=audio(switch.address, 4000))
        of_carrier = Leg.of_caller(carrier, carrier.receive("SIP/2.0 200"))
        of_switch = Leg.of_callee(switch, offer, "switch")
        of_carrier.send("ACK")
        switch.receive("ACK")

        of_carrier.send("INVITE", body=audio(carrier.address, 4100, 2))
        again = switch.receive("INVITE")
        assert f"SIP/2.0/UDP {second.address}:5060;" in again.headers("Via")[0]
        assert again.body == audio(carrier.address, 4100, 2)
        switch.respond(again, "200 OK", headers=contact, body=audio(switch.address, 4000, 2))
        carrier.receive("SIP/2.0 200")
        of_carrier.send("ACK")
        switch.receive("ACK")
        of_switch.reaches(of_carrier, "INFO")  # by the first, whose own address stands in the switch's route
        of_carrier.reaches(of_switch, "BYE")
        assert [live_calls(gateway) for gateway in gateways] == [1, 0], "the first does not learn of its end"
