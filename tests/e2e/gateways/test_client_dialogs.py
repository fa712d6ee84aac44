"""A client's call from its answer to its end: the media proxy is asked anew, whoever is told to stop, and freed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.gateways.conftest import target, use_proxy
from tests.support.loopback import LoopbackNetwork
from tests.support.media_proxy import MediaProxy
from tests.support.opensips import Gateway
from tests.support.sip_calls import Call, Client, answer, invite
from tests.support.sip_message import audio, audio_address
from tests.support.sip_peer import Leg, Peer
from tests.support.waiting import until

_BEHIND_NAT = "100.65.107.153"
_FORGED = ("X-Somleng-BillingEnabled", "false")


@pytest.fixture
def client(network: LoopbackNetwork, client_gateway: Gateway) -> Iterator[Client]:
    with Client(network.address(), client_gateway.address, says=_BEHIND_NAT) as peer:
        yield peer


@pytest.fixture
def switch(network: LoopbackNetwork, client_gateway: Gateway, proxy: MediaProxy) -> Iterator[Peer]:
    with Peer(network.address()) as peer:
        client_gateway.set_targets(target(peer.address))
        use_proxy(client_gateway, proxy)
        yield peer


def begin(caller: str, client: Client, switch: Peer) -> None:
    """Send the INVITE of a call by the client or by the switch."""
    if caller == "client":
        client.invite("1234")
        return
    route = [("Route", f"<sip:{client.gateway}:5060;lr>")]
    internal = [("X-Somleng-CallSid", "6c4a3b54"), ("X-Somleng-ProxyAddress", "internal")]
    invite(switch, f"sip:1234@{client.address}:{client.port}", (client.gateway, 5060), headers=[*route, *internal])


def ends(caller: str, client: Client, switch: Peer) -> tuple[Peer, Peer]:
    return (client, switch) if caller == "client" else (switch, client)


def released(proxy: MediaProxy) -> None:
    """Wait until the proxy has no call; the last message of a call may be sent before its ports are freed."""
    until("the release", lambda: proxy.calls() == [], 1)


@pytest.fixture(params=["client", "switch"])
def caller(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def call(caller: str, client: Client, switch: Peer) -> Call:
    begin(caller, client, switch)
    return answer(*ends(caller, client, switch))


def sides(call: Call, client: Client) -> tuple[Leg, Leg]:
    """Return the client's side and the switch's."""
    return (call.caller, call.callee) if call.caller.peer is client else (call.callee, call.caller)


def offer_anew(here: Leg, there: Leg, method: str, proxy: MediaProxy) -> None:
    """Offer other media within the call; the other side must see the proxy's, and nothing of what a client forges."""
    near, far = proxy.address, proxy.advertised
    if here.peer.says == _BEHIND_NAT:
        near, far = far, near
    here.send(method, body=audio(here.peer.says, 4100, 2), headers=[_FORGED])
    offer = there.peer.receive(method)
    assert audio_address(offer)[0] == far
    contact = ("Contact", f"<sip:{there.peer.says}:5060>")
    there.peer.respond(offer, "200 OK", headers=[contact, _FORGED], body=audio(there.peer.says, 4102, 2))
    accepted = here.peer.receive("SIP/2.0 200")
    assert audio_address(accepted)[0] == near
    assert offer.headers(_FORGED[0]) == accepted.headers(_FORGED[0]) == []
    if method == "INVITE":
        here.send("ACK")
        there.peer.receive("ACK")


@pytest.mark.parametrize("last", ["client", "switch"])
def test_a_switch_that_was_told_to_stop_keeps_its_call_and_gets_no_other(
    call: Call, last: str, client: Client, client_gateway: Gateway, proxy: MediaProxy
) -> None:
    client_gateway.set_targets()
    assert proxy.calls() == [call.caller.call_id]
    of_client, of_switch = sides(call, client)
    for here, there in ((of_client, of_switch), (of_switch, of_client)):
        for method in ("INVITE", "UPDATE"):
            offer_anew(here, there, method, proxy)
        information = here.reaches(there, "INFO", headers=[_FORGED])
        assert information.headers(_FORGED[0]) == []
    one, other = (of_client, of_switch) if last == "client" else (of_switch, of_client)
    one.reaches(other, "BYE")
    released(proxy)
    client.invite("1234")
    assert client.receive("SIP/2.0 500").first_line == "SIP/2.0 500 No Destination available"
    assert of_switch.peer.received("INVITE") == []


def test_a_call_is_released_at_a_proxy_that_takes_no_new_ones(
    call: Call, client_gateway: Gateway, proxy: MediaProxy, network: LoopbackNetwork, directory: Path
) -> None:
    with MediaProxy(directory, network.address(), network.address()) as successor:
        use_proxy(client_gateway, successor)
        offer_anew(call.caller, call.callee, "INVITE", proxy)
        assert successor.calls() == []
        call.callee.reaches(call.caller, "BYE")
        released(proxy)


def test_a_call_that_an_operator_or_its_longest_time_ends_is_released(
    call: Call, client_gateway: Gateway, proxy: MediaProxy
) -> None:
    (dialog,) = client_gateway.mi("dlg_list")["Dialogs"]
    client_gateway.mi("dlg_end_dlg", dialog_id=str(dialog["ID"]))
    for leg in (call.caller, call.callee):
        leg.peer.respond(leg.peer.receive("BYE"), "200 OK")
    released(proxy)


@pytest.mark.parametrize("status", ["486 Busy Here", "603 Decline", "404 Not Found"])
def test_a_call_that_is_not_taken_is_released(
    status: str, caller: str, client: Client, switch: Peer, proxy: MediaProxy
) -> None:
    begin(caller, client, switch)
    here, there = ends(caller, client, switch)
    offer = there.receive("INVITE")
    assert len(proxy.calls()) == 1
    there.respond(offer, status, tag="t")
    assert here.receive("SIP/2.0 " + status[:3]).first_line == f"SIP/2.0 {status}"
    there.receive("ACK")
    released(proxy)


def test_a_call_that_the_caller_gives_up_is_released(
    caller: str, client: Client, switch: Peer, proxy: MediaProxy
) -> None:
    begin(caller, client, switch)
    here, there = ends(caller, client, switch)
    offer = there.receive("INVITE")
    there.respond(offer, "180 Ringing", tag="t")
    ringing = here.receive("SIP/2.0 180")
    headers = [(name, ringing.header(name).split(";tag=t")[0]) for name in ("Via", "From", "To", "Call-ID")]
    number = ringing.header("CSeq").split()[0]
    lines = [*headers, ("CSeq", f"{number} CANCEL"), ("Max-Forwards", "70"), ("Content-Length", "0")]
    uri = f"sip:1234@{client.gateway}" if caller == "client" else f"sip:1234@{client.address}:5060"
    text = "".join(f"{name}: {value}\r\n" for name, value in lines)
    here.send(f"CANCEL {uri} SIP/2.0\r\n{text}\r\n", client.gateway)
    there.respond(there.receive("CANCEL"), "200 OK", tag="t")
    there.respond(offer, "487 Request Terminated", tag="t")
    here.receive("SIP/2.0 487")
    released(proxy)


def test_a_client_that_is_gone_is_told_to_the_switch(client: Client, switch: Peer, proxy: MediaProxy) -> None:
    begin("switch", client, switch)
    client.receive("INVITE")  # and it says nothing
    switch.receive("SIP/2.0 408")
    released(proxy)


def test_a_call_without_an_offer_is_offered_media_in_the_answer(
    call: Call, client: Client, switch: Peer, proxy: MediaProxy
) -> None:
    call.caller.reaches(call.callee, "BYE")
    client.invite("1234", body="")
    offerless = switch.receive("INVITE")
    contact = [("Contact", f"<sip:{switch.address}:5060>")]
    switch.respond(offerless, "200 OK", tag="t", headers=contact, body=audio(switch.address, 4000))
    accepted = client.receive("SIP/2.0 200")
    assert audio_address(accepted)[0] == proxy.advertised
    of_client = Leg.of_caller(client, accepted)
    of_client.send("ACK", body=audio(client.says, 4000))
    assert audio_address(switch.receive("ACK"))[0] == proxy.address
    of_client.reaches(Leg.of_callee(switch, offerless, "t"), "BYE")
    released(proxy)


def test_what_the_switch_says_to_itself_does_not_reach_a_client(client: Client, switch: Peer) -> None:
    begin("switch", client, switch)
    offer = client.receive("INVITE")
    assert offer.headers("X-Somleng-CallSid") == ["6c4a3b54"]
    assert offer.headers("X-Somleng-ProxyAddress") == []
    assert offer.headers("Route") == []
    client.respond(offer, "603 Decline", tag="t")


def test_a_failing_switch_is_followed_by_another_with_the_same_proxy_and_headers(
    client: Client, switch: Peer, client_gateway: Gateway, proxy: MediaProxy, network: LoopbackNetwork
) -> None:
    with Peer(network.address()) as other:
        client_gateway.set_targets(target(switch.address), target(other.address))
        client.invite("1234", headers=[("Remote-Party-ID", '"x" <sip:0714672953@example.com>;party=calling')])
        first, second = (switch, other) if _gets(switch, "INVITE") else (other, switch)
        first.respond(first.receive("INVITE"), "503 Service Unavailable", tag="t")
        call = answer(client, second)
        expected = {"X-Src-Ip": client.address, "X-Somleng-Callee-Identity": "1234"}
        expected |= {"X-Somleng-Caller-Identity": "0714672953", "X-Somleng-Client-Identifier": "user1"}
        assert {name: call.invite.header(name) for name in expected} == expected
        assert proxy.calls() == [call.caller.call_id]
        call.callee.reaches(call.caller, "BYE")
        released(proxy)


def _gets(peer: Peer, start: str) -> bool:
    try:
        message = peer.receive(start, 0.3)
    except AssertionError:
        return False
    peer.put_back(message)
    return True


def test_a_call_that_no_switch_takes_is_released_and_counted(
    client: Client, switch: Peer, client_gateway: Gateway, proxy: MediaProxy
) -> None:
    client.invite("1234")
    switch.respond(switch.receive("INVITE"), "503 Service Unavailable", tag="t")
    assert client.receive("SIP/2.0 500").first_line == "SIP/2.0 500 All GW are down"
    released(proxy)
    assert client_gateway.statistic("calls_without_switch") == 1
    until("the call to be discounted", lambda: live_calls(client_gateway) == [0], 2)


def test_a_call_that_no_proxy_takes_is_counted_and_does_not_burden_the_switch(
    client: Client, switch: Peer, client_gateway: Gateway
) -> None:
    use_proxy(client_gateway)
    client.invite("1234")
    assert client.receive("SIP/2.0 503").first_line == "SIP/2.0 503 No Media Proxy available"
    assert client_gateway.statistic("calls_without_media_proxy") == 1
    until("the call to be discounted", lambda: live_calls(client_gateway) == [0], 2)
    assert switch.received("INVITE") == []


def live_calls(gateway: Gateway) -> list[int]:
    """Return how many calls OpenSIPS counts at each switch."""
    return [int(each["Resources"][0]["load"]) for each in gateway.mi("lb_list")["Destinations"]]


def test_a_request_of_no_dialog_is_not_relayed(client: Client, switch: Peer, network: LoopbackNetwork) -> None:
    with Peer(network.address()) as victim:
        unknown = [("From", "<sip:a@example.com>;tag=a"), ("To", "<sip:b@example.com>;tag=b"), ("Call-ID", "none")]
        to = (client.gateway, 5060)
        routes = [("Route", f"<sip:{client.gateway};lr>, <sip:{victim.address}:5060;lr>")]
        for uri, own, status in (
            (f"sip:b@{victim.address}:5060", routes, 481),
            (f"sip:b@{switch.address}:5060", routes, 481),
            (f"sip:b@{switch.address}:5060", [], 404),
            (f"sip:{client.gateway}:5060", [], 404),
        ):
            client.request("BYE", uri, [*unknown, *own, ("CSeq", "2 BYE")], to)
            client.receive(f"SIP/2.0 {status}")
        assert victim.received("") == switch.received("") == []


def test_a_client_that_passes_for_its_switch_reaches_itself(client: Client, switch: Peer, proxy: MediaProxy) -> None:
    client.invite("1234")
    call = answer(client, switch)
    forged = Leg(client, call.caller.call_id, call.caller.remote, call.caller.local, call.caller.target)
    forged.routes, forged.cseq = call.caller.routes, 50
    forged.send("INFO", headers=[("X-Somleng-CallDirection", "outbound")])
    client.receive("INFO")
    assert switch.received("INFO") == []
    call.callee.reaches(call.caller, "BYE")
    released(proxy)
