"""Clients register at the client gateway with MD5 or SHA-256, and only for themselves."""

from collections.abc import Iterator

import pytest

from tests.support import digest
from tests.support.loopback import LoopbackNetwork
from tests.support.opensips import Gateway
from tests.support.sip_calls import Client
from tests.support.waiting import until

_BEHIND_NAT = "100.65.107.153"
_ALGORITHMS = pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])


@pytest.fixture
def client(network: LoopbackNetwork, client_gateway: Gateway) -> Iterator[Client]:
    with Client(network.address(), client_gateway.address, says=_BEHIND_NAT) as peer:
        yield peer


def contacts(gateway: Gateway) -> dict[str, list[str]]:
    """Return where OpenSIPS would reach each address of record."""
    aors = gateway.mi("ul_dump")["Domains"][0]["AORs"]
    return {each["AOR"]: [contact.get("Received", "") for contact in each["Contacts"]] for each in aors}


@_ALGORITHMS
def test_a_client_registers_and_calls_with_either_digest(
    algorithm: str, client: Client, client_gateway: Gateway
) -> None:
    client.algorithm = algorithm
    assert client.register().first_line == "SIP/2.0 200 OK"
    assert contacts(client_gateway) == {"user1": [f"sip:{client.address}:5060"]}
    client.invite("1234")
    client.receive("SIP/2.0 500 No Destination available")


def test_both_digests_are_offered(client: Client) -> None:
    client.algorithm = "none"
    with pytest.raises(AssertionError, match="none is not offered"):
        client.register()
    client.invite_without_credentials("1234")
    challenges = client.receive("SIP/2.0 407").headers("Proxy-Authenticate")
    assert [digest.parameters(each)["algorithm"] for each in challenges] == ["SHA-256", "MD5"]


@_ALGORITHMS
@pytest.mark.parametrize(("user", "password"), [("user1", "wrong"), ("nobody", "correct horse"), ("user1", "")])
def test_wrong_credentials_are_never_accepted(
    algorithm: str, user: str, password: str, client: Client, client_gateway: Gateway
) -> None:
    client.algorithm, client.user, client.password = algorithm, user, password
    assert client.register().first_line == "SIP/2.0 401 Unauthorized"
    client.invite("1234")
    client.receive("SIP/2.0 407")
    assert client.received("SIP/2.0 1") == client.received("SIP/2.0 2") == []
    assert contacts(client_gateway) == {}


@pytest.mark.parametrize("other", ["user2", "nobody"])
def test_a_client_neither_registers_nor_calls_as_another(other: str, client: Client, client_gateway: Gateway) -> None:
    assert client.register(aor=other).first_line == "SIP/2.0 403 Forbidden"
    client.invite("1234", user=other)
    client.receive("SIP/2.0 403 Forbidden")
    assert contacts(client_gateway) == {}
    assert client_gateway.statistic("requests_refused") == 2


def test_a_client_removes_its_contact(client: Client, client_gateway: Gateway) -> None:
    client.register()
    assert client.register(expires=0).first_line == "SIP/2.0 200 OK"
    assert contacts(client_gateway) == {}


def test_a_client_removes_all_its_contacts(client: Client, client_gateway: Gateway) -> None:
    for port in (5060, 5070):
        client.register(f"<sip:user1@{_BEHIND_NAT}:{port}>")
    assert len(contacts(client_gateway)["user1"]) == 2
    assert client.register("*", expires=0).first_line == "SIP/2.0 200 OK"
    assert contacts(client_gateway) == {}


def test_all_contacts_at_once_are_removed_only(client: Client, client_gateway: Gateway) -> None:
    client.register()
    assert client.register("*", expires=600).first_line.startswith("SIP/2.0 400")
    assert list(contacts(client_gateway)) == ["user1"]


def test_a_contact_that_is_not_renewed_goes(client: Client, client_gateway: Gateway) -> None:
    assert client.register(expires=1).first_line == "SIP/2.0 200 OK"
    until("the contact to go", lambda: contacts(client_gateway) == {}, 10)
