"""Calls of carriers as they are met in the field, with SIPp on both sides of the public gateway."""

from pathlib import Path

from tests.e2e.gateways.conftest import SCENARIOS, target
from tests.support.loopback import LoopbackNetwork
from tests.support.opensips import Gateway
from tests.support.sipp import Sipp, run


def switch(gateway: Gateway, address: str, scenario: str = "switch_answers", port: int = 5060) -> Sipp:
    return Sipp(SCENARIOS / f"{scenario}.xml", gateway.directory, address, port=port)


def call(gateway: Gateway, carrier: str, scenario: str, port: int = 5060, **keys: str) -> Sipp:
    gateway.set_addresses((1, carrier))
    remote, known = f"{gateway.address}:{port}", {"number": "1294", **keys}
    return run(SCENARIOS / f"{scenario}.xml", gateway.directory, carrier, remote=remote, keys=known)


def test_a_switch_that_rings_too_long_is_told_and_the_carrier_gets_500(
    public_gateway: Gateway, network: LoopbackNetwork
) -> None:
    carrier, address, other = (network.address() for _ in range(3))
    public_gateway.set_targets(target(address), target(other))
    scenario = "switch_rings"
    with switch(public_gateway, address, scenario) as one, switch(public_gateway, other, scenario) as another:
        caller = call(public_gateway, carrier, "carrier_gets_500")
        used, unused = (one, another) if one.messages else (another, one)
        used.wait()
        assert unused.messages == []
    assert caller.received("SIP/2.0 500")[0].first_line == "SIP/2.0 500 All GW are down"
    assert used.received("CANCEL")


def test_what_the_platform_forbids_is_passed_on(public_gateway: Gateway, network: LoopbackNetwork) -> None:
    carrier, address = network.address(), network.address()
    public_gateway.set_targets(target(address))
    with switch(public_gateway, address, "switch_refuses_403") as used:
        call(public_gateway, carrier, "carrier_gets_403")
        used.wait()


def test_a_carrier_without_nat_is_answered_as_its_via_says(public_gateway: Gateway, network: LoopbackNetwork) -> None:
    carrier, address, elsewhere = (network.address() for _ in range(3))
    public_gateway.set_targets(target(address))
    with switch(public_gateway, address) as used:
        caller = call(public_gateway, carrier, "carrier_without_nat", elsewhere=elsewhere)
        used.wait()
    for answer in caller.received("SIP/2.0"):
        assert "rport" not in answer.header("Via")
        assert "received" not in answer.header("Via")
    for method in ("ACK", "BYE"):
        (request,) = used.received(method)
        assert request.request_uri == f"sip:{address}:5060"
        assert request.headers("Route") == []


def test_a_carrier_s_preset_route_does_not_lead_astray(public_gateway: Gateway, network: LoopbackNetwork) -> None:
    carrier, address, elsewhere = (network.address() for _ in range(3))
    public_gateway.set_targets(target(address))
    with switch(public_gateway, address) as used:
        caller = call(public_gateway, carrier, "carrier_with_preset_route", elsewhere=elsewhere)
        used.wait()
    (invite,) = used.received("INVITE")
    assert invite.headers("Route") == []
    assert invite.header("X-Somleng-Caller-Identity") == "85512234567"
    assert invite.header("P-Preferred-Identity") == f"<sip:85512234567@{elsewhere}>"
    assert [public_gateway.address in route for route in invite.routes] == [True, True, False]
    vias = ",".join(caller.received("SIP/2.0 200")[0].headers("Via")).split(",")
    assert [elsewhere in via for via in vias] == [False, True]
    assert used.received("BYE")[0].header("CSeq") == "57108 BYE"


def test_anybody_may_ask_whether_the_gateway_is_there(public_gateway: Gateway, network: LoopbackNetwork) -> None:
    for port in (5060, 5080):
        remote = f"{public_gateway.address}:{port}"
        run(SCENARIOS / "peer_asks_options.xml", public_gateway.directory, network.address(), remote=remote)


def test_a_switch_hangs_up_on_either_port(public_gateway: Gateway, network: LoopbackNetwork, directory: Path) -> None:
    for port, resource in ((5060, "gw"), (5080, "gwalt")):
        carrier, address = network.address(), network.address()
        public_gateway.set_targets(target(address, 1, resource, port))
        with switch(public_gateway, address, "switch_hangs_up", port) as used:
            caller = call(public_gateway, carrier, "carrier_is_hung_up", port)
            used.wait()
        (bye,) = caller.received("BYE")
        assert f"{public_gateway.address}:{port};" in bye.headers("Via")[0]
