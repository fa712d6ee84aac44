"""The client gateway's configuration with real OpenSIPS and rtpengine: clients (SIPp) behind NAT register and call."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.gateways.conftest import PASSWORD, SCENARIOS, SETTINGS, add_clients, target, use_proxy
from tests.support import media_proxy
from tests.support.loopback import LoopbackNetwork
from tests.support.media_proxy import MediaProxy
from tests.support.opensips import Gateway
from tests.support.sipp import Sipp

pytestmark = pytest.mark.skipif(media_proxy.BINARY is None, reason=media_proxy.MISSING)


@pytest.fixture
def gateway(network: LoopbackNetwork, directory: Path) -> Iterator[Gateway]:
    # MD5 is all that SIPp knows.
    with Gateway("client", directory, network.address(), {**SETTINGS, "DIGEST_ALGORITHMS": "MD5"}) as running:
        add_clients(running, "user1")
        yield running


def sipp_client(gateway: Gateway, address: str, scenario: str, password: str = PASSWORD, **keys: str) -> Sipp:
    known = {"user": "user1", "aor": "user1", "expires": "600", "number": "1234", **keys}
    return Sipp(
        SCENARIOS / f"{scenario}.xml",
        gateway.directory,
        address,
        remote=f"{gateway.address}:5060",
        keys=known,
        options=("-au", known["user"], "-ap", password),
    )


def client(*arguments: Any, **options: Any) -> Sipp:
    """Run a client to the end of its scenario."""
    with sipp_client(*arguments, **options) as running:
        return running.wait()


def contacts(gateway: Gateway) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(gateway.directory / "gateway.db")
    try:
        return connection.execute("SELECT username, contact, received, socket FROM location").fetchall()
    finally:
        connection.close()


def use(gateway: Gateway, switch: str, *proxies: MediaProxy) -> None:
    gateway.set_targets(target(switch))
    use_proxy(gateway, *proxies)


def test_a_client_behind_nat_registers_and_its_contact_is_kept(gateway: Gateway, network: LoopbackNetwork) -> None:
    address = network.address()
    client(gateway, address, "client_registers")
    assert contacts(gateway) == [
        ("user1", "sip:user1@100.65.107.153:5060", f"sip:{address}:5060", f"udp:{gateway.address}:5060")
    ]


def test_a_wrong_password_does_not_register(gateway: Gateway, network: LoopbackNetwork) -> None:
    client(gateway, network.address(), "client_registration_gets_401", password="wrong")
    assert contacts(gateway) == []


def test_a_client_cannot_register_for_another(gateway: Gateway, network: LoopbackNetwork) -> None:
    client(gateway, network.address(), "client_registration_gets_403", aor="user2")
    assert contacts(gateway) == []


def test_a_client_calls_through_the_media_proxy(gateway: Gateway, network: LoopbackNetwork, directory: Path) -> None:
    address, switch, private, public = (network.address() for _ in range(4))
    with MediaProxy(directory, private, public) as proxy:
        use(gateway, switch, proxy)
        with Sipp(SCENARIOS / "switch_answers.xml", directory, switch) as used:
            caller = client(gateway, address, "client_calls")
            used.wait()
    (invite,) = used.received("INVITE")
    assert invite.headers("X-Somleng-Client-Identifier") == ["user1"]
    assert invite.headers("X-Src-Ip") == [address]
    assert f"c=IN IP4 {private}" in invite.body
    answer = caller.received("SIP/2.0 200")[0]
    assert f"c=IN IP4 {public}" in answer.body
    assert any("r2=on" in route for route in answer.headers("Record-Route"))


def test_without_a_media_proxy_a_call_is_refused(gateway: Gateway, network: LoopbackNetwork, directory: Path) -> None:
    switch = network.address()
    use(gateway, switch)
    with Sipp(SCENARIOS / "switch_answers.xml", directory, switch, calls=None) as unused:
        caller = client(gateway, network.address(), "client_gets_503")
        assert unused.messages == []
    assert caller.received("SIP/2.0 503")[0].first_line == "SIP/2.0 503 No Media Proxy available"


def test_a_call_stays_with_its_media_proxy_when_the_set_changes(
    gateway: Gateway, network: LoopbackNetwork, directory: Path
) -> None:
    """The proxy leaves the set of new calls while the call rings; the answer must still go to it."""
    address, switch, private, public = (network.address() for _ in range(4))
    with MediaProxy(directory, private, public) as proxy:
        use(gateway, switch, proxy)
        gateway.write("DELETE FROM rtpengine WHERE set_id = 0")
        with (
            Sipp(SCENARIOS / "switch_answers_late.xml", directory, switch) as used,
            sipp_client(gateway, address, "client_calls") as caller,
        ):
            time.sleep(0.15)  # it rings by then, and for another quarter of a second
            assert used.received("INVITE")
            gateway.mi("rtpengine_reload", type="soft")
            caller.wait()
            used.wait()
    assert f"c=IN IP4 {public}" in caller.received("SIP/2.0 200")[0].body
