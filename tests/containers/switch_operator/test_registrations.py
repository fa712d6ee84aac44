"""Registrations of a client, and the dial string that the services function builds."""

import time

from routing import Registration, RegistrationWriter
from switch_operator.deployment import Place
from tests.containers.switch_operator.conftest import Operator


def contact(identifier: str, **values: object) -> dict[tuple[str, str], Registration]:
    given = {"contact": "sip:user1@192.168.1.7:5060", "socket": "udp:10.10.0.20:6060", "gateway": "a"} | values
    registration = Registration("user1", identifier, **given)  # type: ignore[arg-type]
    return {("user1", identifier): registration}


def test_contacts_are_shown_newest_first_with_what_has_expired_and_the_dial_string(
    operator: Operator, registrations: RegistrationWriter
) -> None:
    now = int(time.time())
    current = {"received": "sip:45.118.77.153:1619", "last_modified": now - 60, "expires": now + 540}
    registrations.write(contact("new", **current, user_agent="phone\x1b[2J"))
    registrations.write(contact("old", last_modified=now - 7_200, expires=now - 6_600))
    said = operator.json("registrations", "user1", "--destination", "016701722")
    assert [(each["expired"], each["received"]) for each in said["contacts"]] == [
        (False, "sip:45.118.77.153:1619"),
        (True, None),
    ]
    assert said["dial_string"] == {
        "destination_address": "016701722@45.118.77.153:1619",
        "proxy_address": "10.10.0.20:6060",
    }
    shown = operator("registrations", "user1").out
    assert "expired 1 h ago" in shown
    assert "1 current contact, 1 expired" in shown
    assert "a call goes to 1234@45.118.77.153:1619 through 10.10.0.20:6060" in shown


def test_a_client_cannot_write_to_the_operator_s_terminal(
    operator: Operator, registrations: RegistrationWriter
) -> None:
    registrations.write(contact("new", user_agent="\x1b]0;owned\x07phone\x9b2J", last_modified=int(time.time())))
    shown = operator("registrations", "user1").out
    assert "phone" in shown
    assert not [character for character in shown if not character.isprintable() and character != "\n"]


def test_a_client_that_is_not_registered_has_no_dial_string(operator: Operator) -> None:
    assert "it is not registered" in operator("registrations", "nobody", status=1).out


def test_contacts_are_shown_although_the_function_cannot_be_asked(
    operator: Operator, registrations: RegistrationWriter
) -> None:
    registrations.write(contact("new", last_modified=int(time.time())))
    operator.environment[Place.SERVICES_FUNCTION.variable] = "arn:aws:lambda:ap-southeast-1:123456789012:function:other"
    said = operator("registrations", "user1", status=1).out
    assert "192.168.1.7" in said
    assert "the dial string is not known" in said
    assert "Function not found" in said
