"""Audio flows both ways between a switch and a client whose own address nobody else reaches."""

import pytest

from tests.e2e.gateways.conftest import target, use_proxy
from tests.support.loopback import LoopbackNetwork
from tests.support.media_proxy import MediaProxy
from tests.support.opensips import Gateway
from tests.support.rtp import AudioSocket
from tests.support.sip_calls import Client, answer, invite
from tests.support.sip_message import audio, audio_address
from tests.support.sip_peer import Peer

_CLIENT_SAYS, _SWITCH_SAYS = 0x11, 0x22


@pytest.mark.parametrize("calls", ["client", "switch"])
def test_both_hear_each_other_also_after_a_new_offer_and_nobody_after_the_end(
    calls: str, network: LoopbackNetwork, client_gateway: Gateway, proxy: MediaProxy
) -> None:
    inside = network.address()  # nobody is there
    use_proxy(client_gateway, proxy)
    with (
        Client(network.address(), client_gateway.address, says=inside) as client,
        Peer(network.address()) as switch,
        AudioSocket(client.address) as of_client,
        AudioSocket(switch.address) as of_switch,
    ):
        client_gateway.set_targets(target(switch.address))
        if calls == "client":
            client.invite("1234")
            call = answer(client, switch)
            to_switch, to_client = audio_address(call.answer), audio_address(call.invite)
        else:
            invite(switch, f"sip:1@{client.address}:5060", (client_gateway.address, 5060))
            call = answer(switch, client)
            to_client, to_switch = audio_address(call.answer), audio_address(call.invite)
        assert (to_switch[0], to_client[0]) == (proxy.advertised, proxy.address)
        for _ in range(2):
            of_client.say(_CLIENT_SAYS, to_switch)
            of_switch.say(_SWITCH_SAYS, to_client)
            assert (set(of_switch.heard()), set(of_client.heard())) == ({_CLIENT_SAYS}, {_SWITCH_SAYS})
            call.caller.send("INVITE", body=audio(call.caller.peer.says, 4000, 2))
            offer = call.callee.peer.receive("INVITE")
            contact = [("Contact", f"<sip:{call.callee.peer.says}:5060>")]
            call.callee.peer.respond(offer, "200 OK", headers=contact, body=audio(call.callee.peer.says, 4000, 2))
            call.caller.peer.receive("SIP/2.0 200")
            call.caller.send("ACK")
            call.callee.peer.receive("ACK")
        call.caller.reaches(call.callee, "BYE")
        of_client.say(_CLIENT_SAYS, to_switch, packets=3)
        assert of_switch.heard() == []
