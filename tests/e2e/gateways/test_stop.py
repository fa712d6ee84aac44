"""A gateway that is told to stop: live calls go on to their end, and nothing new begins."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.gateways.conftest import SETTINGS, add_clients, target, use_proxy
from tests.support.loopback import LoopbackNetwork
from tests.support.media_proxy import MediaProxy
from tests.support.opensips import Gateway
from tests.support.sip_calls import Client, answer, invite
from tests.support.sip_message import Message, audio
from tests.support.sip_peer import Peer
from tests.support.waiting import until

LIMIT = 4
STOPPING = {**SETTINGS, "DRAIN_TIMEOUT": str(LIMIT)}


@pytest.fixture
def public(network: LoopbackNetwork, directory: Path) -> Iterator[Gateway]:
    with Gateway("public", directory, network.address(), STOPPING) as running:
        yield running


@pytest.fixture
def client_gateway(network: LoopbackNetwork, directory: Path) -> Iterator[Gateway]:
    with Gateway("client", directory, network.address(), STOPPING) as running:
        add_clients(running, "user1", "user2")
        yield running


def tell(gateway: Gateway) -> subprocess.Popen[bytes]:
    """Tell it to stop, and return when OpenSIPS knows."""
    assert gateway.process is not None
    gateway.process.terminate()
    until("OpenSIPS to be told", lambda: gateway.mi("shv_get", name="draining")["VAR"]["value"] == 1, 2)
    return gateway.process


def options(peer: Peer, gateway: Gateway) -> Message:
    own = [("From", f"<sip:a@{peer.says}>;tag=a"), ("To", f"<sip:{gateway.address}>"), ("Call-ID", "options")]
    peer.request("OPTIONS", f"sip:{gateway.address}", [*own, ("CSeq", "1 OPTIONS")], (gateway.address, 5060))
    return peer.receive("SIP/2.0")


def renegotiate(one: Peer, other: Peer) -> None:
    """Answer a re-INVITE that is under way."""
    offer = other.receive("INVITE")
    contact = [("Contact", f"<sip:{other.address}:5060>")]
    other.respond(offer, "200 OK", headers=contact, body=audio(other.address, 4102, 2))
    one.receive("SIP/2.0 200")


def test_a_carrier_s_call_goes_on_and_no_other_begins(network: LoopbackNetwork, public: Gateway) -> None:
    with Peer(network.address()) as carrier, Peer(network.address()) as switch, Peer(network.address()) as other:
        public.set_addresses((1, carrier.address), (1, other.address))
        public.set_targets(target(switch.address))
        uri, to = f"sip:1234@{public.address}", (public.address, 5060)
        invite(carrier, uri, to)
        call = answer(carrier, switch)
        process = tell(public)
        invite(other, uri, to)
        assert other.receive("SIP/2.0 503").header("Retry-After") == "10"
        assert options(other, public).first_line.startswith("SIP/2.0 503")
        call.callee.send("INVITE", body=audio(switch.address, 4100, 2))
        renegotiate(switch, carrier)
        call.callee.send("ACK")
        carrier.receive("ACK")
        assert process.poll() is None
        call.caller.reaches(call.callee, "BYE")
        assert process.wait(3) == 0
        assert "ends with" not in public.log_text()


def test_without_a_call_it_ends_at_once(public: Gateway) -> None:
    began = time.monotonic()
    public.stop()
    assert time.monotonic() - began < 3


def test_a_call_that_rings_is_waited_for(network: LoopbackNetwork, public: Gateway) -> None:
    with Peer(network.address()) as carrier, Peer(network.address()) as switch:
        public.set_addresses((1, carrier.address))
        public.set_targets(target(switch.address))
        invite(carrier, f"sip:1234@{public.address}", (public.address, 5060))
        carrier.receive("SIP/2.0 100")
        process = tell(public)
        call = answer(carrier, switch)
        assert process.poll() is None
        call.callee.reaches(call.caller, "BYE")
        assert process.wait(3) == 0


def test_a_call_that_does_not_end_in_time_outlives_it_in_the_file(network: LoopbackNetwork, public: Gateway) -> None:
    with Peer(network.address()) as carrier, Peer(network.address()) as switch:
        public.set_addresses((1, carrier.address))
        public.set_targets(target(switch.address))
        invite(carrier, f"sip:1234@{public.address}", (public.address, 5060))
        call = answer(carrier, switch)
        began = time.monotonic()
        assert tell(public).wait(LIMIT + 3) == 0
        assert time.monotonic() - began > LIMIT - 1
        assert "ends with 1 calls" in public.log_text()
        public.start()
        until("the dialog", lambda: public.statistic("active_dialogs") == 1, 2)
        call.caller.reaches(call.callee, "BYE")


def test_told_once_more_it_waits_no_longer(network: LoopbackNetwork, public: Gateway) -> None:
    with Peer(network.address()) as carrier, Peer(network.address()) as switch:
        public.set_addresses((1, carrier.address))
        public.set_targets(target(switch.address))
        invite(carrier, f"sip:1234@{public.address}", (public.address, 5060))
        answer(carrier, switch)
        process = tell(public)
        process.terminate()
        assert process.wait(2) == 0


def test_a_client_s_call_goes_on_and_he_is_still_called_but_registers_elsewhere(
    network: LoopbackNetwork, client_gateway: Gateway, proxy: MediaProxy
) -> None:
    use_proxy(client_gateway, proxy)
    gateway = client_gateway.address
    with (
        Client(network.address(), gateway) as client,
        Client(network.address(), gateway, user="user2") as other,
        Client(network.address(), gateway, user="user2") as third,
        Peer(network.address()) as switch,
    ):
        client_gateway.set_targets(target(switch.address))
        assert client.register().first_line == "SIP/2.0 200 OK"
        assert other.register().first_line == "SIP/2.0 200 OK"
        client.invite("1234")
        call = answer(client, switch)
        process = tell(client_gateway)
        refusal = third.register()
        assert (refusal.first_line[:11], refusal.header("Retry-After")) == ("SIP/2.0 503", "10")
        other.invite_without_credentials("1234")
        other.receive("SIP/2.0 503")
        assert third.register(expires=0).first_line == "SIP/2.0 200 OK"

        invite(switch, f"sip:1@{other.address}:5060", (gateway, 5060))
        late = answer(switch, other)
        call.callee.send("INVITE", body=audio(switch.address, 4100, 2))
        renegotiate(switch, client)
        call.callee.send("ACK")
        client.receive("ACK")
        call.caller.reaches(call.callee, "BYE")
        time.sleep(0.7)
        assert process.poll() is None
        late.callee.reaches(late.caller, "BYE")
        assert process.wait(3) == 0
        until("the release", lambda: proxy.calls() == [], 1)
