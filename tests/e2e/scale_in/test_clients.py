"""Client gateways and media proxies that are told to stop: clients stay reachable, and live calls keep their audio."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.gateways.conftest import SETTINGS
from tests.support import media_proxy, opensips
from tests.support.control_plane import Services, emulated_aws, services_function
from tests.support.ecs_events import task_event
from tests.support.loopback import LoopbackNetwork
from tests.support.media_proxy import MediaProxy
from tests.support.opensips import Gateway
from tests.support.queue_events import DIGESTS
from tests.support.rtp import AudioSocket
from tests.support.scheduler import Sidecar
from tests.support.sip_calls import Client, answer
from tests.support.sip_message import audio_address
from tests.support.sip_peer import Peer
from tests.support.waiting import until

pytestmark = [
    pytest.mark.skipif(opensips.BINARY is None, reason=opensips.MISSING),
    pytest.mark.skipif(media_proxy.BINARY is None, reason=media_proxy.MISSING),
]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with emulated_aws(tmp_path_factory.mktemp("emulator")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def services(endpoint: str) -> Iterator[Services]:
    with services_function(endpoint) as services:
        services.job("CreateOpenSIPSSubscriberJob", {"username": "user1", **DIGESTS})
        yield services


@contextmanager
def client_gateway(directory: Path, address: str, endpoint: str, name: str) -> Iterator[tuple[Gateway, Sidecar]]:
    """Run a client gateway's task: OpenSIPS, whose calls have time to end, and its scheduler."""
    directory.mkdir()
    gateway = Gateway("client", directory, address, {**SETTINGS, "DRAIN_TIMEOUT": "20"}, ready=False)
    with Sidecar("client", directory, address, endpoint, {"GATEWAY_NAME": name}) as sidecar:
        gateway.start()
        try:
            yield gateway, sidecar
        finally:
            gateway.kill()


def tell(gateway: Gateway) -> None:
    """Have its container be told to stop, and wait until OpenSIPS knows."""
    assert gateway.process is not None
    gateway.process.terminate()
    until("OpenSIPS to be told", lambda: gateway.mi("shv_get", name="draining")["VAR"]["value"] == 1, 2)


def ends(gateway: Gateway, sidecar: Sidecar) -> None:
    """See a task end in its order."""
    assert gateway.process is not None
    assert gateway.process.wait(5) == 0
    assert sidecar.stop() == 0


def is_called_through(services: Services, gateway: Gateway) -> bool:
    return bool(services.dial_string("user1")["proxy_address"] == f"{gateway.address}:5060")


def is_target(gateway: Gateway, switch: Peer) -> bool:
    return f"sip:{switch.address}:5060" in gateway.targets()


def uses(gateway: Gateway, proxy: MediaProxy) -> bool:
    """Tell whether a gateway gives new calls to a proxy."""
    sets = gateway.mi("rtpengine_show") or []
    return any(node["url"] == proxy.socket for each in sets if str(each["Set"]) == "0" for node in each["Nodes"])


def register(address: str, gateway: Gateway) -> str:
    """Register the client, and return the last answer's first line."""
    with Client(address, gateway.address, algorithm="SHA-256", password="password") as client:
        return client.register().first_line


def test_a_client_is_called_through_the_gateway_in_its_place_or_the_one_that_it_went_to(
    services: Services, endpoint: str, network: LoopbackNetwork, directory: Path
) -> None:
    client = network.address()
    with client_gateway(directory / "first", network.address(), endpoint, "203.0.113.1") as (first, scheduler):
        assert register(client, first) == "SIP/2.0 200 OK"
        assert first.process is not None
        first.process.terminate()  # before the contact is in the table, perhaps
        ends(first, scheduler)
    assert is_called_through(services, first)
    with client_gateway(directory / "successor", network.address(), endpoint, "203.0.113.1") as (successor, scheduler):
        until("the contact to have moved", partial(is_called_through, services, successor), 3)
        with (
            client_gateway(directory / "other", network.address(), endpoint, "203.0.113.2") as (other, _),
            Peer(network.address()) as switch,
            MediaProxy(directory, network.address(), network.address()) as proxy,
        ):
            services.event(task_event("switch-1", ip=switch.address))
            services.event(task_event("proxy-1", group="service:media-proxy", ip=proxy.address))
            until("the target", partial(is_target, successor, switch))
            until("the proxy", partial(uses, successor, proxy))
            with Client(client, successor.address, algorithm="SHA-256", password="password") as caller:
                caller.invite("1234")
                call = answer(caller, switch)
                tell(successor)
                assert register(network.address(), successor).startswith("SIP/2.0 503")
                time.sleep(1.0)  # of two contacts the newest counts, by whole seconds
                assert register(network.address(), other) == "SIP/2.0 200 OK"
                until("the contact elsewhere", partial(is_called_through, services, other), 3)
                assert successor.process is not None
                assert successor.process.poll() is None
                call.callee.reaches(call.caller, "BYE")
            ends(successor, scheduler)
            assert is_called_through(services, other)
            services.event(task_event("switch-1", ip=switch.address, desired_status="STOPPED", version=4))
            stopped = task_event("proxy-1", group="service:media-proxy", ip=proxy.address, desired_status="STOPPED")
            stopped["detail"]["version"] = 4
            services.event(stopped)


def test_a_call_keeps_the_media_proxy_that_is_told_to_stop_and_the_next_has_the_other(
    services: Services, endpoint: str, network: LoopbackNetwork, directory: Path
) -> None:
    limit = {"DRAIN_TIMEOUT": "20"}
    group = "service:media-proxy"
    with (
        MediaProxy(directory, network.address(), network.address(), limit) as leaving,
        MediaProxy(directory, network.address(), network.address(), limit) as staying,
        client_gateway(directory / "gateway", network.address(), endpoint, "203.0.113.3") as (gateway, _),
        Peer(network.address()) as switch,
        Client(network.address(), gateway.address, algorithm="SHA-256", password="password") as client,
        AudioSocket(client.address) as of_client,
        AudioSocket(switch.address) as of_switch,
    ):
        services.event(task_event("switch-2", ip=switch.address))
        services.event(task_event("leaving", group=group, ip=leaving.address))
        until("the target", partial(is_target, gateway, switch))
        until("the proxy", partial(uses, gateway, leaving))
        client.invite("1234")
        call = answer(client, switch)
        to_switch, to_client = audio_address(call.answer), audio_address(call.invite)
        assert (to_switch[0], to_client[0]) == (leaving.advertised, leaving.address)

        services.event(task_event("staying", group=group, ip=staying.address))
        assert leaving.process is not None
        leaving.process.terminate()
        services.event(task_event("leaving", group=group, ip=leaving.address, desired_status="STOPPED", version=4))
        until("the proxies to be others", lambda: uses(gateway, staying) and not uses(gateway, leaving), 5)

        for sound in (0x11, 0x12):
            of_client.say(sound, to_switch)
            of_switch.say(sound + 0x11, to_client)
            assert (set(of_switch.heard()), set(of_client.heard())) == ({sound}, {sound + 0x11})
            time.sleep(0.5)
        with Client(network.address(), gateway.address, algorithm="SHA-256", password="password") as another:
            another.invite("1234")
            late = answer(another, switch)
            assert audio_address(late.answer)[0] == staying.advertised
            assert leaving.process.poll() is None
            call.caller.reaches(call.callee, "BYE")
            assert leaving.process.wait(5) == 0
            late.callee.reaches(late.caller, "BYE")
