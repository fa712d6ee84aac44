"""Peers know a gateway by another address than it listens on: within a call both lead to it."""

from pathlib import Path

import pytest

from tests.e2e.gateways.conftest import SETTINGS, add_clients, target, use_proxy
from tests.support.loopback import LoopbackNetwork
from tests.support.media_proxy import MediaProxy
from tests.support.opensips import Gateway
from tests.support.sip_calls import Call, Client, answer, invite
from tests.support.sip_peer import Peer


def ends_by_both_sides(call: Call, of_peer: str, gateway: Gateway, advertised: str) -> None:
    """Check the routes of a call, have both sides ask within it, and the switch hang up."""
    peer, switch = (call.caller, call.callee) if of_peer == "caller" else (call.callee, call.caller)
    assert [advertised in route for route in peer.routes] == [True, False]
    assert [gateway.address in route for route in switch.routes] == [True, False]
    assert all(";r2=on" in route and ";lr" in route for route in peer.routes)
    inside, outside = f"SIP/2.0/UDP {gateway.address}:5060;", f"SIP/2.0/UDP {advertised}:5060;"
    asked = peer.reaches(switch, "INFO")
    assert asked.headers("Via")[0].startswith(inside)
    told = switch.reaches(peer, "BYE")
    assert told.headers("Via")[0].startswith(outside)
    assert ";rport" in told.headers("Via")[0]


def test_a_carrier_s_call(network: LoopbackNetwork, directory: Path) -> None:
    advertised = network.address()
    settings = {**SETTINGS, "SIP_ADVERTISED_ADDRESS": advertised}
    with Gateway("public", directory, network.address(), settings) as gateway:
        known = {advertised: gateway.address}
        with Peer(network.address(), reaches=known) as carrier, Peer(network.address()) as switch:
            gateway.set_addresses((1, carrier.address))
            gateway.set_targets(target(switch.address))
            invite(carrier, f"sip:1234@{advertised}", (gateway.address, 5060))
            call = answer(carrier, switch)
            assert call.invite.headers("Via")[0].startswith(f"SIP/2.0/UDP {gateway.address}:5060;")
            ends_by_both_sides(call, "caller", gateway, advertised)


@pytest.mark.parametrize("calls", ["client", "switch"])
def test_a_client_s_call(calls: str, network: LoopbackNetwork, directory: Path, proxy: MediaProxy) -> None:
    advertised = network.address()
    settings = {**SETTINGS, "SIP_ADVERTISED_ADDRESS": advertised}
    with Gateway("client", directory, network.address(), settings) as gateway:
        add_clients(gateway, "user1")
        use_proxy(gateway, proxy)
        known = {advertised: gateway.address}
        with (
            Client(network.address(), gateway.address, domain=advertised, reaches=known) as client,
            Peer(network.address()) as switch,
        ):
            assert client.register().first_line == "SIP/2.0 200 OK"
            gateway.set_targets(target(switch.address))
            if calls == "client":
                client.invite("1234")
                call = answer(client, switch)
                ends_by_both_sides(call, "caller", gateway, advertised)
            else:
                invite(switch, f"sip:1@{client.address}:5060", (gateway.address, 5060))
                call = answer(switch, client)
                assert call.invite.headers("Via")[0].startswith(f"SIP/2.0/UDP {advertised}:5060;")
                ends_by_both_sides(call, "callee", gateway, advertised)
