"""Calls over TCP: the switches have UDP alone, and both sides reach each other within the call."""

import pytest

from tests.e2e.gateways.conftest import target, use_proxy
from tests.support.loopback import LoopbackNetwork
from tests.support.media_proxy import MediaProxy
from tests.support.opensips import Gateway
from tests.support.sip_calls import answer, invite
from tests.support.sip_peer import Peer
from tests.support.sip_stream import StreamPeer


@pytest.mark.parametrize("last", ["carrier", "switch"])
def test_a_carrier_calls_over_tcp(last: str, public_gateway: Gateway, network: LoopbackNetwork) -> None:
    address = network.address()
    public_gateway.set_addresses((1, address))
    with Peer(network.address()) as switch, StreamPeer(address, public_gateway.address) as carrier:
        public_gateway.set_targets(target(switch.address))
        invite(carrier, f"sip:1234@{public_gateway.address}", (public_gateway.address, 5060))
        call = answer(carrier, switch)
        assert "transport=tcp" in call.caller.routes[0]
        assert "transport" not in call.callee.routes[0]
        one, other = (call.caller, call.callee) if last == "carrier" else (call.callee, call.caller)
        one.reaches(other, "BYE")
        assert public_gateway.statistic("active_dialogs") == 0


@pytest.mark.parametrize("last", ["client", "switch"])
def test_a_client_behind_nat_calls_over_tcp(
    last: str, client_gateway: Gateway, network: LoopbackNetwork, proxy: MediaProxy
) -> None:
    use_proxy(client_gateway, proxy)
    address = network.address()
    with Peer(network.address()) as switch, StreamPeer(address, client_gateway.address, "100.65.107.153") as client:
        client_gateway.set_targets(target(switch.address))
        assert client.register().first_line == "SIP/2.0 200 OK"
        client.invite("1234")
        call = answer(client, switch)
        one, other = (call.caller, call.callee) if last == "client" else (call.callee, call.caller)
        one.reaches(other, "BYE")
        assert proxy.calls() == []
