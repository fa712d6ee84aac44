"""A carrier's call from its beginning to its end, when the switch was told to stop, and with what peers forge."""

from collections.abc import Iterator

import pytest

from tests.e2e.gateways.conftest import target
from tests.support.loopback import LoopbackNetwork
from tests.support.opensips import Gateway
from tests.support.sip_calls import Call, answer, invite
from tests.support.sip_message import Message, audio
from tests.support.sip_peer import Leg, Peer

_FORGED = [("X-Somleng-CallDirection", "outbound"), ("x-somleng-BillingEnabled", "false"), ("X-SRC-IP", "203.0.113.9")]
_INTERNAL = [("X-Somleng-CallSid", "6c4a3b54"), ("X-Somleng-AccountSid", "9e2ec5f6")]


@pytest.fixture
def carrier(network: LoopbackNetwork, public_gateway: Gateway) -> Iterator[Peer]:
    with Peer(network.address()) as peer:
        public_gateway.set_addresses((1, peer.address))
        yield peer


@pytest.fixture
def switch(network: LoopbackNetwork, public_gateway: Gateway) -> Iterator[Peer]:
    with Peer(network.address()) as peer:
        public_gateway.set_targets(target(peer.address))
        yield peer


@pytest.fixture
def call(carrier: Peer, switch: Peer, public_gateway: Gateway) -> Call:
    invite(carrier, f"sip:1234@{public_gateway.address}", (public_gateway.address, 5060), headers=_FORGED)
    return answer(carrier, switch, headers=_INTERNAL)


def extra_headers(message: Message) -> dict[str, list[str]]:
    names = {name.title() for name, _ in (*_FORGED, *_INTERNAL)} | {"X-Somleng-Caller-Identity"}
    return {name: found for name in names if (found := message.headers(name))}


@pytest.mark.parametrize("last", ["carrier", "switch"])
def test_a_switch_that_was_told_to_stop_keeps_its_call_and_gets_no_other(
    call: Call, last: str, carrier: Peer, switch: Peer, public_gateway: Gateway
) -> None:
    public_gateway.set_targets()
    for here, there in ((call.caller, call.callee), (call.callee, call.caller)):
        here.send("INVITE", body=audio(here.peer.address, 4100, 2))
        offer = there.peer.receive("INVITE")
        assert offer.body == audio(here.peer.address, 4100, 2)
        contact = [("Contact", f"<sip:{there.peer.address}:5060>")]
        there.peer.respond(offer, "200 OK", headers=contact, body=audio(there.peer.address, 4102, 2))
        here.peer.receive("SIP/2.0 200")
        here.send("ACK")
        there.peer.receive("ACK")
    one, other = (call.caller, call.callee) if last == "carrier" else (call.callee, call.caller)
    one.reaches(other, "BYE")
    assert public_gateway.statistic("active_dialogs") == 0
    invite(carrier, f"sip:1234@{public_gateway.address}", (public_gateway.address, 5060))
    carrier.receive("SIP/2.0 500 No Destination available")
    assert public_gateway.statistic("calls_without_switch") == 1
    assert switch.received("INVITE") == []


def test_each_side_sees_what_is_for_it_in_requests_and_answers(call: Call, carrier: Peer) -> None:
    assert extra_headers(call.invite) == {
        "X-Src-Ip": [carrier.address],
        "X-Somleng-Caller-Identity": ["+85512234567"],
    }
    assert extra_headers(call.answer) == {"X-Somleng-Callsid": ["6c4a3b54"]}
    for here, there, headers, passed in (
        (call.caller, call.callee, _FORGED, {}),
        (call.callee, call.caller, _INTERNAL, {"X-Somleng-Callsid": ["6c4a3b54"]}),
    ):
        here.send("INFO", headers=headers)
        request = there.peer.receive("INFO")
        assert extra_headers(request) == passed
        back = _INTERNAL if there is call.callee else _FORGED
        there.peer.respond(request, "200 OK", headers=back)
        response = here.peer.receive("SIP/2.0 200")
        assert extra_headers(response) == ({"X-Somleng-Callsid": ["6c4a3b54"]} if there is call.callee else {})


def test_what_the_gateway_says_of_a_caller_is_said_once_on_failover(
    carrier: Peer, switch: Peer, public_gateway: Gateway, network: LoopbackNetwork
) -> None:
    with Peer(network.address()) as other:
        public_gateway.set_targets(target(switch.address), target(other.address))
        for _ in range(2):  # whichever is tried first
            invite(carrier, f"sip:1234@{public_gateway.address}", (public_gateway.address, 5060), headers=_FORGED)
            first = carrier_is_tried(switch, other)
            second = other if first is switch else switch
            first.respond(first.receive("INVITE"), "500 Server Internal Error", tag="t")
            tried = second.receive("INVITE")
            assert (tried.header("X-Src-Ip"), tried.header("X-Somleng-Callee-Identity")) == (carrier.address, "1234")
            assert len(tried.headers("X-Somleng-Caller-Identity")) == len(tried.headers("Max-Forwards")) == 1
            assert len(tried.routes) == 2
            second.respond(tried, "486 Busy Here", tag="t")
            carrier.receive("SIP/2.0 486")


def carrier_is_tried(*switches: Peer) -> Peer:
    """Return the one that is called."""
    while True:
        for each in switches:
            if each.received("INVITE"):
                return each


def test_a_lost_route_set_is_found_again(call: Call, public_gateway: Gateway) -> None:
    call.caller.routes, call.caller.target = [], f"sip:1234@{public_gateway.address}:5060"
    bye = call.caller.reaches(call.callee, "BYE")
    assert bye.request_uri == "sip:callee@" + call.callee.peer.address + ":5060"


def test_a_request_of_no_dialog_is_not_relayed(carrier: Peer, switch: Peer, public_gateway: Gateway) -> None:
    leg = Leg(carrier, "none", "<sip:a@a>;tag=a", "<sip:b@b>;tag=b", f"sip:{switch.address}:5060", [])
    leg.routes = [f"<sip:{public_gateway.address};lr>", "<sip:203.0.113.1;lr>"]
    leg.send("BYE")
    carrier.receive("SIP/2.0 481")
    leg.routes, leg.target = [], f"sip:{public_gateway.address}:5060"
    leg.send("BYE")
    carrier.receive("SIP/2.0 404")
    assert switch.received("") == []


@pytest.mark.parametrize(("forwards", "status"), [("0", "483"), ("1", "500")])
def test_a_request_that_went_too_far_is_ended(
    forwards: str, status: str, carrier: Peer, public_gateway: Gateway
) -> None:
    to = (public_gateway.address, 5060)
    own = [("From", "<sip:a@a>;tag=a"), ("To", "<sip:1@b>"), ("Call-ID", forwards), ("CSeq", "1 INVITE")]
    own += [("Via", f"SIP/2.0/UDP {carrier.address}:5060;branch=z9hG4bK1"), ("Max-Forwards", forwards)]
    own += [("Contact", f"<sip:a@{carrier.address}>"), ("Content-Length", "0")]
    text = "".join(f"{name}: {value}\r\n" for name, value in own)
    carrier.send(f"INVITE sip:1@{public_gateway.address} SIP/2.0\r\n{text}\r\n", *to)
    carrier.receive(f"SIP/2.0 {status}")


@pytest.mark.parametrize("method", ["REGISTER", "MESSAGE", "SUBSCRIBE", "REFER"])
def test_only_calls_are_taken(method: str, carrier: Peer, public_gateway: Gateway) -> None:
    own = [("From", "<sip:a@a>;tag=a"), ("To", "<sip:1@b>"), ("Call-ID", method), ("CSeq", f"1 {method}")]
    own.append(("Contact", f"<sip:a@{carrier.address}>"))
    carrier.request(method, f"sip:1@{public_gateway.address}", own, (public_gateway.address, 5060))
    carrier.receive("SIP/2.0 405")
