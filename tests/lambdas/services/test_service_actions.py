"""Direct invocations: the switch app asks for a dial string, a deployment adds a domain."""

import time
from typing import Any

import pytest

from lambdas.services.errors import InvalidEvent, UnknownServiceAction
from routing import Table
from routing.attribute_values import encode
from tests.lambdas.services.conftest import Services
from tests.support.routing_tables import NAMES, client, journal, rows

NOT_REGISTERED = {"destination_address": None, "proxy_address": None}


def register(username: str = "user1", contact_id: str = "c1", **changed: Any) -> None:
    """Put a contact as the scheduler of a client gateway does."""
    now = int(time.time())
    contact = {
        "username": username,
        "contact_id": contact_id,
        "contact": "sip:user1@45.118.77.153:1634",
        "socket": "udp:10.10.0.20:6060",
        "user_agent": "a phone",
        "gateway": "gateway-1",
        "last_modified": now,
        "expires": now + 600,
    } | changed
    item = encode({name: value for name, value in contact.items() if value is not None})
    client().put_item(TableName=NAMES[Table.REGISTRATIONS], Item=item)


def dial_string(services: Services, username: Any = "user1", destination: Any = "016701722") -> Any:
    parameters = {"client_identifier": username, "destination": destination}
    return services({"serviceAction": "BuildClientGatewayDialString", "parameters": parameters})


# --- dial strings


def test_a_client_behind_nat_is_called_where_its_registration_came_from(services: Services) -> None:
    register(contact="sip:user1@192.168.1.75:5060", received="sip:45.118.77.153:1619")
    assert dial_string(services) == {
        "destination_address": "016701722@45.118.77.153:1619",
        "proxy_address": "10.10.0.20:6060",
    }


def test_of_several_contacts_the_newest_is_called_without_its_parameters(services: Services) -> None:
    now = int(time.time())
    register(contact_id="old", contact="sip:user1@45.118.77.153:9999;ob", last_modified=now - 60)
    register(contact_id="new", contact="sip:user1@45.118.77.153:1634;ob", last_modified=now)
    assert dial_string(services) == {
        "destination_address": "016701722@45.118.77.153:1634",
        "proxy_address": "10.10.0.20:6060",
    }


@pytest.mark.parametrize(
    ("contact", "called"),
    [
        ("<sip:user1@45.118.77.153:1634;transport=tcp>;expires=600", "45.118.77.153:1634"),
        ("sip:45.118.77.153", "45.118.77.153"),
        ("sips:user1@phone.example.org:5061", "phone.example.org:5061"),
        ("sip:user1@[2001:db8::7]:5062", "[2001:db8::7]:5062"),
        ("sip:user%401@45.118.77.153:1634?subject=x", "45.118.77.153:1634"),
    ],
)
def test_contacts_in_every_spelling(services: Services, contact: str, called: str) -> None:
    register(contact=contact)
    assert dial_string(services)["destination_address"] == f"016701722@{called}"


def test_a_client_that_is_not_registered(services: Services) -> None:
    register(username="user2")
    assert dial_string(services) == NOT_REGISTERED


def test_an_expired_contact_is_not_called_though_it_is_the_newest(services: Services) -> None:
    now = int(time.time())
    register(contact_id="expired", last_modified=now, expires=now - 1)
    assert dial_string(services) == NOT_REGISTERED
    register(contact_id="valid", contact="sip:user1@45.118.77.153:9999", last_modified=now - 300)
    assert dial_string(services)["destination_address"] == "016701722@45.118.77.153:9999"


def test_a_contact_that_cannot_be_dialled_gives_way_to_the_next(services: Services) -> None:
    now = int(time.time())
    register(contact_id="new", contact="tel:+85516701722", last_modified=now)
    assert dial_string(services) == NOT_REGISTERED
    register(contact_id="old", last_modified=now - 60)
    assert dial_string(services)["destination_address"] == "016701722@45.118.77.153:1634"
    assert [line["contact_id"] for line in services.log if line["level"] == "WARNING"] == ["new", "new"]


def test_a_dial_string_costs_one_request(services: Services) -> None:
    register()
    with services.requests() as requests:
        dial_string(services)
    assert requests == ["Query"]


@pytest.mark.parametrize(
    ("username", "destination", "wrong"),
    [
        (None, "016701722", "client_identifier"),
        ("", "016701722", "client_identifier"),
        (["user1"], "016701722", "client_identifier"),
        ("user1", None, "destination"),
        ("user1", "", "destination"),
        ("user1", "1@evil.example.org;x=", "destination"),
        ("user1", "1\r\nVia: x", "destination"),
        ("user1", 16701722, "destination"),
    ],
)
def test_a_wrong_parameter_fails_by_name(services: Services, username: Any, destination: Any, wrong: str) -> None:
    register()
    with pytest.raises(InvalidEvent, match=wrong):
        dial_string(services, username, destination)


# --- domains


def create_domain(services: Services, domain: Any) -> Any:
    return services({"serviceAction": "CreateDomain", "parameters": {"domain": domain}})


def test_a_domain_is_created_once_and_answered(services: Services) -> None:
    for _ in range(2):
        assert create_domain(services, "client-gateway-staging.somleng.org") == {
            "domain": "client-gateway-staging.somleng.org"
        }
    assert rows(Table.DOMAINS) == [{"domain": "client-gateway-staging.somleng.org"}]
    assert journal(Table.DOMAINS)[0] == 1


def test_a_domain_is_stored_in_lower_case(services: Services) -> None:
    assert create_domain(services, "SIP.Example.ORG") == {"domain": "sip.example.org"}


@pytest.mark.parametrize(
    "domain", [None, "", 5, "a domain", "example..org", "-example.org", "x" * 64, "a." * 130 + "b"]
)
def test_a_wrong_domain_fails_by_name(services: Services, domain: Any) -> None:
    with pytest.raises(InvalidEvent, match="domain is"):
        create_domain(services, domain)
    assert rows(Table.DOMAINS) == []


# --- what is no action


@pytest.mark.parametrize("name", ["DropTables", "", "_service_action", "buildClientGatewayDialString"])
def test_an_unknown_action_fails_by_name(services: Services, name: str) -> None:
    with pytest.raises(UnknownServiceAction, match=repr(name)):
        services({"serviceAction": name, "parameters": {}})


def test_parameters_that_are_no_object_fail_by_name(services: Services) -> None:
    with pytest.raises(InvalidEvent, match="parameters"):
        services({"serviceAction": "CreateDomain", "parameters": ["example.org"]})
