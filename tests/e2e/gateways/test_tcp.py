"""Calls over TCP: the switches have UDP alone, and both sides reach each other within the call."""

from pathlib import Path

import pytest

from tests.e2e.gateways.conftest import SETTINGS, add_clients, target, use_proxy
from tests.support.loopback import LoopbackNetwork
from tests.support.media_proxy import MediaProxy
from tests.support.opensips import Gateway
from tests.support.sip_calls import answer, invite
from tests.support.sip_peer import Peer
from tests.support.sip_stream import StreamPeer
from tests.support.waiting import until


@pytest.mark.parametrize("last", ["carrier", "switch"])
def test_a_carrier_calls_over_tcp(last: str, network: LoopbackNetwork, directory: Path) -> None:
    address, advertised = network.address(), network.address()
    settings = {**SETTINGS, "SIP_ADVERTISED_ADDRESS": advertised}
    with (
        Gateway("public", directory, network.address(), settings) as gateway,
        Peer(network.address()) as switch,
        StreamPeer(address, gateway.address) as carrier,
    ):
        gateway.set_addresses((1, address))
        gateway.set_targets(target(switch.address))
        invite(carrier, f"sip:1234@{advertised}", (gateway.address, 5060))
        call = answer(carrier, switch)
        assert advertised in call.caller.routes[0]
        assert "transport=tcp" in call.caller.routes[0]
        assert "transport" not in call.callee.routes[0]
        one, other = (call.caller, call.callee) if last == "carrier" else (call.callee, call.caller)
        one.reaches(other, "BYE")
        assert gateway.statistic("active_dialogs") == 0


@pytest.mark.parametrize("last", ["client", "switch"])
def test_a_client_behind_nat_calls_over_tcp(
    last: str, network: LoopbackNetwork, directory: Path, proxy: MediaProxy
) -> None:
    address, advertised = network.address(), network.address()
    settings = {**SETTINGS, "SIP_ADVERTISED_ADDRESS": advertised}
    with (
        Gateway("client", directory, network.address(), settings) as gateway,
        Peer(network.address()) as switch,
        StreamPeer(address, gateway.address, says="100.65.107.153", domain=advertised) as client,
    ):
        add_clients(gateway, "user1")
        use_proxy(gateway, proxy)
        gateway.set_targets(target(switch.address))
        assert client.register().first_line == "SIP/2.0 200 OK"
        client.invite("1234")
        call = answer(client, switch)
        one, other = (call.caller, call.callee) if last == "client" else (call.callee, call.caller)
        one.reaches(other, "BYE")
        until("the release", lambda: proxy.calls() == [], 1)
