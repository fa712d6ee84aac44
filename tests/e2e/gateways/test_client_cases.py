"""Calls of and to clients as they are met in the field, with SIPp on both sides of the client gateway."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.gateways.conftest import PASSWORD, SCENARIOS, SETTINGS, add_clients, target, use_proxy
from tests.support.loopback import LoopbackNetwork
from tests.support.media_proxy import MediaProxy
from tests.support.opensips import Gateway
from tests.support.sip_message import audio_address
from tests.support.sipp import Sipp, run
from tests.support.waiting import until


@pytest.fixture
def gateway(network: LoopbackNetwork, directory: Path, proxy: MediaProxy) -> Iterator[Gateway]:
    # MD5 is all that SIPp knows.
    with Gateway("client", directory, network.address(), {**SETTINGS, "DIGEST_ALGORITHMS": "MD5"}) as running:
        add_clients(running, "user1")
        use_proxy(running, proxy)
        yield running
        until("the release", lambda: proxy.calls() == [], 1)


def client(gateway: Gateway, address: str, scenario: str, **keys: str) -> Sipp:
    known = {"user": "user1", "aor": "user1", "expires": "600", "number": "1234", **keys}
    options = ("-au", "user1", "-ap", PASSWORD)
    remote = f"{gateway.address}:5060"
    return run(SCENARIOS / f"{scenario}.xml", gateway.directory, address, remote=remote, keys=known, options=options)


def switch(gateway: Gateway, address: str, scenario: str) -> Sipp:
    gateway.set_targets(target(address))
    return Sipp(SCENARIOS / f"{scenario}.xml", gateway.directory, address)


@pytest.mark.parametrize("contact", ["nowhere.invalid:99999", "100.65.107.153", "[::1", "@", "100.65.107.153:"])
def test_a_client_that_breaks_its_dialog_is_understood(
    contact: str, gateway: Gateway, network: LoopbackNetwork
) -> None:
    address = network.address()
    with switch(gateway, address, "switch_answers") as used:
        client(gateway, network.address(), "client_with_broken_dialog", contact=contact)
        used.wait()
    assert [request.request_uri for request in used.received("BYE")] == [f"sip:{address}:5060"]


def test_a_switch_s_bye_reaches_a_client_behind_nat(
    gateway: Gateway, network: LoopbackNetwork, proxy: MediaProxy
) -> None:
    address = network.address()
    with switch(gateway, address, "switch_hangs_up") as used:
        caller = client(gateway, network.address(), "client_is_hung_up", identity="0714672953")
        used.wait()
    (invite,) = used.received("INVITE")
    assert invite.header("X-Somleng-Caller-Identity") == "0714672953"
    assert audio_address(invite)[0] == proxy.address
    assert audio_address(caller.received("SIP/2.0 200")[0])[0] == proxy.advertised


@pytest.mark.parametrize("inside", [None, "100.65.107.153"])
def test_a_switch_calls_a_registered_client(
    inside: str | None, gateway: Gateway, network: LoopbackNetwork, proxy: MediaProxy
) -> None:
    address, of_client = network.address(), network.address()
    client(gateway, of_client, "client_registers")
    gateway.set_targets(target(address))
    keys = {"inside": inside or of_client}
    with Sipp(SCENARIOS / "client_answers.xml", gateway.directory, of_client, keys=keys) as called:
        caller = run(
            SCENARIOS / "switch_calls_client.xml",
            gateway.directory,
            address,
            remote=f"{gateway.address}:5060",
            keys={"destination": f"1234@{of_client}:5060"},
        )
        called.wait()
    (invite,) = called.received("INVITE")
    assert invite.request_uri == f"sip:1234@{of_client}:5060"
    assert invite.header("X-Somleng-CallSid") == "6c4a3b54-95c7-4c3e-9b5d-3f3bd9b2ad10"
    assert invite.headers("X-Somleng-ProxyAddress") == invite.headers("X-Somleng-BillingEnabled") == []
    assert all(f"<sip:{gateway.address}:5060;" in route and "r2=on" in route for route in invite.routes)
    assert audio_address(invite)[0] == proxy.advertised
    assert audio_address(caller.received("SIP/2.0 200")[0])[0] == proxy.address
    for method in ("ACK", "BYE"):
        (request,) = called.received(method)
        assert request.request_uri == f"sip:user1@{of_client}:5060"
