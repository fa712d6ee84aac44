"""The public gateway's configuration with real OpenSIPS: carriers (SIPp) call switches (SIPp) through it."""

import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.gateways.conftest import SCENARIOS, target
from tests.fakes.event_socket import EventSocket
from tests.support.loopback import LoopbackNetwork
from tests.support.opensips import ROOT, Gateway
from tests.support.sipp import Sipp, run
from tests.support.waiting import until

_CALL = {"number": "1234"}


@pytest.fixture
def gateway(public_gateway: Gateway) -> Gateway:
    return public_gateway


def switch(directory: Path, address: str, scenario: str = "switch_answers", **options: object) -> Sipp:
    return Sipp(SCENARIOS / f"{scenario}.xml", directory, address, **options)  # type: ignore[arg-type]


def call(gateway: Gateway, carrier: str, scenario: str = "carrier_calls", port: int = 5060, **keys: str) -> Sipp:
    remote = f"{gateway.address}:{port}"
    return run(SCENARIOS / f"{scenario}.xml", gateway.directory, carrier, remote=remote, keys={**_CALL, **keys})


def test_a_permitted_carrier_reaches_a_switch_of_its_region(
    gateway: Gateway, network: LoopbackNetwork, directory: Path
) -> None:
    carrier, near, far = (network.address() for _ in range(3))
    gateway.set_targets(target(near), target(far, 2))
    gateway.set_addresses((2, carrier))
    with switch(directory, near, calls=None) as unused, switch(directory, far) as used:
        caller = call(gateway, carrier)
        used.wait()
        assert unused.messages == []
    (invite,) = used.received("INVITE")
    assert invite.headers("X-Src-Ip") == [carrier]
    assert invite.headers("X-Somleng-Caller-Identity") == ["+85512234567"]
    assert invite.headers("X-Somleng-Callee-Identity") == ["1234"]
    (answer,) = caller.received("SIP/2.0 200")[:1]
    assert answer.headers("X-Somleng-CallSid") == ["6c4a3b54-95c7-4c3e-9b5d-3f3bd9b2ad10"]
    assert "rport" in answer.headers("Via")[0]
    assert f"c=IN IP4 {far}" in answer.body


def test_what_a_peer_forges_does_not_reach_the_switch(
    gateway: Gateway, network: LoopbackNetwork, directory: Path
) -> None:
    carrier, address = network.address(), network.address()
    gateway.set_targets(target(address))
    gateway.set_addresses((1, carrier))
    with switch(directory, address) as used:
        call(gateway, carrier)
        used.wait()
    (invite,), (bye,) = used.received("INVITE"), used.received("BYE")
    assert invite.headers("X-Somleng-CallDirection") == []
    assert invite.headers("X-Somleng-BillingEnabled") == []
    assert invite.headers("X-Src-Ip") == [carrier]
    assert bye.headers("X-Somleng-CallSid") == []


def test_a_carrier_that_is_not_permitted_is_refused(
    gateway: Gateway, network: LoopbackNetwork, directory: Path
) -> None:
    carrier, address = network.address(), network.address()
    gateway.set_targets(target(address))
    with switch(directory, address, calls=None) as unused:
        call(gateway, carrier, "carrier_gets_403")
        assert unused.messages == []


def test_the_alternative_port_leads_to_the_alternative_targets(
    gateway: Gateway, network: LoopbackNetwork, directory: Path
) -> None:
    carrier, address = network.address(), network.address()
    gateway.set_targets(target(address), target(address, 1, "gwalt", 5080))
    gateway.set_addresses((1, carrier))
    with switch(directory, address, calls=None) as unused, switch(directory, address, port=5080) as used:
        caller = call(gateway, carrier, port=5080)
        used.wait()
        assert unused.messages == []
    routes = caller.received("SIP/2.0 200")[0].headers("Record-Route")
    assert any(f"{gateway.address}:5080" in route for route in routes)
    assert any("r2=on" in route for route in routes)


def test_a_switch_that_fails_is_followed_by_the_next(
    gateway: Gateway, network: LoopbackNetwork, directory: Path
) -> None:
    carrier, failing, working = (network.address() for _ in range(3))
    gateway.set_targets(target(failing), target(working))
    gateway.set_addresses((1, carrier))
    with switch(directory, failing, "switch_refuses_503", calls=None), switch(directory, working, calls=None) as used:
        call(gateway, carrier)
        call(gateway, carrier)
        assert len(used.received("INVITE")) == 2


def test_a_switch_that_does_not_answer_is_followed_by_the_next(
    gateway: Gateway, network: LoopbackNetwork, directory: Path
) -> None:
    carrier, silent, working = (network.address() for _ in range(3))
    gateway.set_targets(target(silent), target(working))
    gateway.set_addresses((1, carrier))
    with switch(directory, working, calls=None) as used:
        call(gateway, carrier)
        assert used.received("INVITE")


def test_a_call_that_every_switch_refuses_ends_with_500(
    gateway: Gateway, network: LoopbackNetwork, directory: Path
) -> None:
    carrier, failing = network.address(), network.address()
    gateway.set_targets(target(failing))
    gateway.set_addresses((1, carrier))
    with switch(directory, failing, "switch_refuses_503") as used:
        caller = call(gateway, carrier, "carrier_gets_500")
        used.wait()
    assert caller.received("SIP/2.0 500")[0].first_line == "SIP/2.0 500 All GW are down"


def test_a_declined_call_is_not_tried_elsewhere(gateway: Gateway, network: LoopbackNetwork, directory: Path) -> None:
    carrier, first, second = (network.address() for _ in range(3))
    gateway.set_targets(target(first), target(second))
    gateway.set_addresses((1, carrier))
    scenario = "switch_refuses_603"
    with (
        switch(directory, first, scenario, calls=None) as one,
        switch(directory, second, scenario, calls=None) as other,
    ):
        call(gateway, carrier, "carrier_gets_603")
        assert len(one.received("INVITE")) + len(other.received("INVITE")) == 1


def test_without_a_switch_a_call_is_refused_clearly(gateway: Gateway, network: LoopbackNetwork) -> None:
    carrier = network.address()
    gateway.set_addresses((1, carrier))
    caller = call(gateway, carrier, "carrier_gets_500")
    assert caller.received("SIP/2.0 500")[0].first_line == "SIP/2.0 500 No Destination available"


def test_a_switch_without_heartbeats_takes_calls_and_a_reload_does_not_stop_it(
    gateway: Gateway, network: LoopbackNetwork, directory: Path
) -> None:
    carrier, address = network.address(), network.address()
    gateway.set_addresses((1, carrier))
    with EventSocket(address, interval=None), switch(directory, address, calls=None) as used:
        gateway.set_targets(target(address))
        call(gateway, carrier)
        time.sleep(1.5)  # by now OpenSIPS counts it as having no capacity at all
        call(gateway, carrier)
        gateway.mi("lb_reload")
        call(gateway, carrier)
        assert len(used.received("INVITE")) == 3


def test_calls_go_on_while_the_password_of_event_sockets_is_replaced(
    gateway: Gateway, network: LoopbackNetwork, directory: Path
) -> None:
    """Switches that have the new one already take calls only when none is left with the old one; and then they do."""
    carrier, before, after = (network.address() for _ in range(3))
    gateway.set_addresses((1, carrier))
    with (
        EventSocket(before) as known,
        EventSocket(after, password="new") as refusing,
        switch(directory, before, calls=None) as old,
        switch(directory, after, calls=None) as new,
    ):
        gateway.set_targets(target(before), target(after))
        until("both logins", lambda: bool(known.logins and refusing.logins))
        time.sleep(1.5)  # heartbeats of the one have come, and the other is known to have none
        for _ in range(3):
            call(gateway, carrier)
        assert (len(old.received("INVITE")), len(new.received("INVITE"))) == (3, 0)
        gateway.set_targets(target(after))
        time.sleep(1.5)
        call(gateway, carrier)
        assert len(new.received("INVITE")) == 1


def test_a_removed_target_keeps_its_call_and_gets_no_other(
    gateway: Gateway, network: LoopbackNetwork, directory: Path
) -> None:
    carrier, other_carrier, leaving, staying = (network.address() for _ in range(4))
    gateway.set_addresses((1, carrier), (1, other_carrier))
    gateway.set_targets(target(leaving))
    scenario, remote = SCENARIOS / "carrier_calls.xml", f"{gateway.address}:5060"
    with switch(directory, leaving, calls=None) as old, switch(directory, staying, calls=None) as new:
        with Sipp(scenario, directory, carrier, remote=remote, keys=_CALL, talk=2) as live:
            time.sleep(0.7)  # it is answered by then
            gateway.set_targets(target(staying))
            call(gateway, other_carrier)
            live.wait()
        assert len(old.received("INVITE")) == 1
        assert len(old.received("BYE")) == 1
        assert len(new.received("INVITE")) == 1


def test_the_health_check_asks_with_sip(gateway: Gateway) -> None:
    command = [str(ROOT / "containers" / "gateway" / "healthcheck.sh")]
    environment = {"PATH": "/usr/bin:/bin", "SIP_LISTEN_ADDRESS": gateway.address}
    assert subprocess.run(command, env=environment, check=False).returncode == 0
    gateway.stop()
    assert subprocess.run(command, env=environment, check=False, stderr=subprocess.DEVNULL).returncode == 1
