"""Calls outlive a restart of their gateway's OpenSIPS."""

import pytest

from tests.e2e.gateways.conftest import target, use_proxy
from tests.support.loopback import LoopbackNetwork
from tests.support.media_proxy import MediaProxy
from tests.support.opensips import Gateway
from tests.support.sip_calls import Client, answer, invite
from tests.support.sip_message import audio, audio_address
from tests.support.sip_peer import Peer
from tests.support.waiting import until

_ENDS = pytest.mark.parametrize("last", ["caller", "callee"])


@_ENDS
def test_a_carrier_s_call_is_ended_after_a_restart(
    last: str, network: LoopbackNetwork, public_gateway: Gateway
) -> None:
    with Peer(network.address()) as carrier, Peer(network.address()) as switch:
        public_gateway.set_addresses((1, carrier.address))
        public_gateway.set_targets(target(switch.address))
        invite(carrier, f"sip:1234@{public_gateway.address}", (public_gateway.address, 5060))
        call = answer(carrier, switch)
        public_gateway.stop()
        public_gateway.start()
        until("the dialog", lambda: public_gateway.statistic("active_dialogs") == 1, 2)
        (used,) = public_gateway.mi("lb_list")["Destinations"]
        assert int(used["Resources"][0]["load"]) == 1
        one, other = (call.caller, call.callee) if last == "caller" else (call.callee, call.caller)
        one.reaches(other, "BYE")
        assert public_gateway.statistic("active_dialogs") == 0


@_ENDS
@pytest.mark.parametrize("calls", ["client", "switch"])
def test_a_client_s_call_goes_on_and_is_released_after_a_restart(
    last: str, calls: str, network: LoopbackNetwork, client_gateway: Gateway, proxy: MediaProxy
) -> None:
    use_proxy(client_gateway, proxy)
    with Client(network.address(), client_gateway.address) as client, Peer(network.address()) as switch:
        client_gateway.set_targets(target(switch.address))
        if calls == "client":
            client.invite("1234")
            call = answer(client, switch)
        else:
            invite(switch, f"sip:1@{client.address}:5060", (client_gateway.address, 5060))
            call = answer(switch, client)
        client_gateway.stop()
        client_gateway.set_targets()  # the switch is told to stop meanwhile
        client_gateway.start()
        one, other = (call.caller, call.callee) if last == "caller" else (call.callee, call.caller)
        one.send("INVITE", body=audio(one.peer.address, 4100, 2))
        offer = other.peer.receive("INVITE")
        assert audio_address(offer)[0] == (proxy.address if other.peer is switch else proxy.advertised)
        contact = [("Contact", f"<sip:{other.peer.address}:5060>")]
        other.peer.respond(offer, "200 OK", headers=contact, body=audio(other.peer.address, 4102, 2))
        one.peer.receive("SIP/2.0 200")
        one.send("ACK")
        other.peer.receive("ACK")
        assert len(proxy.calls()) == 1
        one.reaches(other, "BYE")
        until("the release", lambda: proxy.calls() == [], 1)


@_ENDS
def test_a_call_that_a_crashed_gateway_forgot_is_still_ended(
    last: str, network: LoopbackNetwork, client_gateway: Gateway, proxy: MediaProxy
) -> None:
    use_proxy(client_gateway, proxy)
    with Client(network.address(), client_gateway.address) as client, Peer(network.address()) as switch:
        client_gateway.set_targets(target(switch.address))
        client.invite("1234")
        call = answer(client, switch)
        client_gateway.kill()
        client_gateway.start()
        assert client_gateway.statistic("active_dialogs") == 0
        one, other = (call.caller, call.callee) if last == "caller" else (call.callee, call.caller)
        one.reaches(other, "BYE")
        until("the release", lambda: proxy.calls() == [], 1)
