"""From an event at the services function to a call that goes another way: handler, DynamoDB, scheduler and OpenSIPS."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.e2e.gateways.conftest import SCENARIOS, SETTINGS
from tests.support.control_plane import Services, emulated_aws, services_function
from tests.support.ecs_events import task_event
from tests.support.loopback import LoopbackNetwork
from tests.support.media_proxy import MediaProxy
from tests.support.opensips import Gateway
from tests.support.queue_events import DIGESTS
from tests.support.scheduler import Sidecar
from tests.support.sip_calls import Client, answer, invite
from tests.support.sip_message import audio
from tests.support.sip_peer import Peer
from tests.support.sipp import Sipp, run
from tests.support.waiting import until


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where AWS is emulated, over HTTP, so that the schedulers' processes reach it too."""
    with emulated_aws(tmp_path_factory.mktemp("emulator")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def services(endpoint: str) -> Iterator[Services]:
    with services_function(endpoint) as services:
        yield services


def is_target(gateway: Gateway, address: str) -> bool:
    return f"sip:{address}:5060" in gateway.targets()


def is_permitted(gateway: Gateway, address: str) -> bool:
    return address in str(gateway.mi("address_dump"))


def is_proxy(gateway: Gateway, proxy: MediaProxy) -> bool:
    return proxy.socket in str(gateway.mi("rtpengine_show"))


def is_dialled_through(services: Services, proxy_address: str) -> bool:
    return bool(services.dial_string("user1")["proxy_address"] == proxy_address)


def test_a_carrier_s_permission_and_a_switch_s_life(
    services: Services, endpoint: str, network: LoopbackNetwork, directory: Path
) -> None:
    gateway = Gateway("public", directory, network.address(), SETTINGS, ready=False)
    to = (gateway.address, 5060)
    with (
        Sidecar("public", directory, gateway.address, endpoint),
        gateway,
        Peer(network.address()) as carrier,
        Peer(network.address()) as switch,
    ):
        invite(carrier, f"sip:1234@{gateway.address}", to)
        carrier.receive("SIP/2.0 403 Forbidden")

        services.job("CreateOpenSIPSPermissionJob", carrier.address, {"group_id": 1})
        services.event(task_event("switch-1", ip=switch.address))
        until("the permission", lambda: is_permitted(gateway, carrier.address), 2)
        until("the target", lambda: is_target(gateway, switch.address), 2)
        invite(carrier, f"sip:1234@{gateway.address}", to)
        call = answer(carrier, switch)

        services.event(task_event("switch-1", ip=switch.address, desired_status="STOPPED", version=4))
        until("the target to go", lambda: not is_target(gateway, switch.address), 2)
        invite(carrier, f"sip:1234@{gateway.address}", to)
        carrier.receive("SIP/2.0 500 No Destination available")
        call.callee.send("INVITE", body=audio(switch.address, 4100, 2))
        offer = carrier.receive("INVITE")
        contact = [("Contact", f"<sip:carrier@{carrier.address}:5060>")]
        carrier.respond(offer, "200 OK", headers=contact, body=audio(carrier.address, 4102, 2))
        switch.receive("SIP/2.0 200")
        call.callee.send("ACK")
        carrier.receive("ACK")
        call.callee.reaches(call.caller, "BYE")
        assert switch.received("INVITE") == []

        services.job("DeleteOpenSIPSPermissionJob", carrier.address)
        until("the permission to go", lambda: not is_permitted(gateway, carrier.address), 2)
        invite(carrier, f"sip:1234@{gateway.address}", to)
        carrier.receive("SIP/2.0 403 Forbidden")


@contextmanager
def client_gateway(address: str, endpoint: str) -> Iterator[Gateway]:
    """Run a client gateway with its scheduler."""
    with TemporaryDirectory(prefix="gateway-") as name:
        directory = Path(name)
        running = Gateway("client", directory, address, SETTINGS, ready=False)
        with Sidecar("client", directory, address, endpoint, {"GATEWAY_NAME": address}), running:
            yield running


def test_of_two_client_gateways_the_dial_string_names_the_one_that_holds_the_contact(
    services: Services, endpoint: str, network: LoopbackNetwork, proxy: MediaProxy
) -> None:
    services.job("CreateOpenSIPSSubscriberJob", {"username": "user1", **DIGESTS})
    services.event(task_event("proxy-1", group="service:media-proxy", ip=proxy.address))
    switch, address = network.address(), network.address()
    with client_gateway(network.address(), endpoint) as one, client_gateway(network.address(), endpoint) as other:
        services.event(task_event("switch-2", ip=switch))
        for gateway in (one, other):
            until("the target", partial(is_target, gateway, switch))
            until("the proxy", partial(is_proxy, gateway, proxy))
        assert services.dial_string("user1") == {"destination_address": None, "proxy_address": None}
        for gateway in (one, other):
            time.sleep(1.0)  # of two contacts the newest counts, by whole seconds
            with Client(address, gateway.address, algorithm="SHA-256", password="password") as client:
                assert client.register().first_line == "SIP/2.0 200 OK"
            proxy_address = f"{gateway.address}:5060"
            until("the contact", partial(is_dialled_through, services, proxy_address))
            destination = services.dial_string("user1")["destination_address"]
            assert destination == f"1234@{address}:5060"
            scenario, keys = SCENARIOS / "client_answers.xml", {"inside": address}
            with Sipp(scenario, gateway.directory, address, keys=keys) as called:
                scenario, keys = SCENARIOS / "switch_calls_client.xml", {"destination": destination}
                run(scenario, gateway.directory, switch, remote=proxy_address, keys=keys)
                called.wait()
            assert called.received("INVITE")[0].headers("Via")[0].startswith(f"SIP/2.0/UDP {proxy_address};")
            until("the release", lambda: proxy.calls() == [], 1)
    services.event(task_event("switch-2", ip=switch, desired_status="STOPPED", version=4))


def test_a_switch_that_was_told_to_stop_still_calls_a_client(
    services: Services, endpoint: str, network: LoopbackNetwork, proxy: MediaProxy
) -> None:
    services.job("CreateOpenSIPSSubscriberJob", {"username": "user1", **DIGESTS})
    services.event(task_event("proxy-1", group="service:media-proxy", ip=proxy.address))
    stranger = network.address()
    with (
        client_gateway(network.address(), endpoint) as gateway,
        Peer(network.address()) as switch,
        Client(network.address(), gateway.address, algorithm="SHA-256", password="password") as client,
    ):
        uri, to = f"sip:1234@{client.address}:5060", (gateway.address, 5060)
        services.event(task_event("switch-3", ip=switch.address))
        until("the target", partial(is_target, gateway, switch.address))
        until("the proxy", partial(is_proxy, gateway, proxy))
        assert client.register().first_line == "SIP/2.0 200 OK"

        services.event(task_event("switch-3", ip=switch.address, desired_status="STOPPED", version=4))
        until("the target to go", lambda: not is_target(gateway, switch.address), 2)
        invite(switch, uri, to)
        call = answer(switch, client)
        call.caller.reaches(call.callee, "BYE")

        # It takes none, and nobody else was let in.
        client.invite("1234")
        client.receive("SIP/2.0 500 No Destination available")
        with Peer(stranger) as other:
            invite(other, uri, to)
            other.receive("SIP/2.0 407")

        services.event(task_event("switch-4", ip=switch.address))
        until("the target again", partial(is_target, gateway, switch.address))
        client.invite("1234")
        answer(client, switch)
