"""OPTIONS tell whether a switch is there: one that does not answer gets no new call until it does."""

from pathlib import Path

from tests.e2e.gateways.conftest import SETTINGS, target
from tests.support.loopback import LoopbackNetwork
from tests.support.opensips import Gateway
from tests.support.sip_calls import answer, invite
from tests.support.sip_peer import Peer
from tests.support.waiting import until


def is_used(gateway: Gateway) -> bool:
    (only,) = gateway.mi("lb_list")["Destinations"]
    return str(only["enabled"]) == "yes"


def test_a_switch_that_stops_answering_is_left_alone_until_it_answers(
    network: LoopbackNetwork, directory: Path
) -> None:
    settings = {**SETTINGS, "PROBE_INTERVAL": "1"}
    with (
        Gateway("public", directory, network.address(), settings) as gateway,
        Peer(network.address(), answers_options=True) as switch,
        Peer(network.address()) as carrier,
    ):
        gateway.set_addresses((1, carrier.address))
        gateway.set_targets(target(switch.address))
        until("OPTIONS", lambda: switch.options_seen >= 2)
        assert is_used(gateway)
        uri, to = f"sip:1234@{gateway.address}", (gateway.address, 5060)
        invite(carrier, uri, to)
        call = answer(carrier, switch)
        switch.answers_options = False
        until("the switch to be left alone", lambda: not is_used(gateway))
        invite(carrier, uri, to)
        carrier.receive("SIP/2.0 500 No Destination available")
        call.caller.reaches(call.callee, "INFO")
        call.callee.reaches(call.caller, "BYE")
        switch.answers_options = True
        until("the switch to be used again", lambda: is_used(gateway))
        invite(carrier, uri, to)
        answer(carrier, switch)
