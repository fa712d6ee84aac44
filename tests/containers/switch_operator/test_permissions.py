"""Permissions: explained, given and taken, so that the platform's jobs keep their order."""

import time
from collections.abc import Callable

import pytest

from routing import Address, DeleteAddress, PutAddress, RoutingReader, SetAddressGroup, Table
from tests.containers.switch_operator.conftest import Operator, target
from tests.support.routing_tables import journal, rows

Write = Callable[..., None]


def addresses(reader: RoutingReader) -> dict[str, int]:
    records = reader.snapshot(Table.ADDRESSES).records.values()
    return {record.source_ip: record.group_id for record in records if isinstance(record, Address)}


def now() -> int:
    return int(time.time() * 1000)


def test_what_is_permitted_is_listed_in_the_order_of_addresses(operator: Operator, write: Write) -> None:
    write(*(PutAddress(Address(ip, 1), 1) for ip in ("10.0.0.10", "10.0.0.9", "2001:db8::/32", "9.0.0.0/24")))
    listed = operator.json("permissions", "list")["addresses"]
    assert [each["source_ip"] for each in listed] == ["9.0.0.0/24", "10.0.0.9", "10.0.0.10", "2001:db8::/32"]
    assert [bool(each["unusable"]) for each in listed] == [False, False, False, True]
    assert "4 rows" in operator("permissions", "list").out


def test_an_address_is_explained_down_to_the_switches(operator: Operator, write: Write) -> None:
    write(target("10.1.0.1", "a"), target("10.1.0.1", "a", resource="gwalt"), target("10.1.0.2", "b", group=2))
    write(PutAddress(Address("203.0.113.0/24", 1), 1), PutAddress(Address("203.0.113.7", 2), 1))
    explained = operator.json("permissions", "explain", "203.0.113.7")
    assert (explained["permitted"], explained["group_id"]) == (True, 1)
    assert [(row["source_ip"], row["decides"]) for row in explained["rows"]] == [
        ("203.0.113.0/24", True),
        ("203.0.113.7", False),
    ]
    assert [(each["dst_uri"], each["resource"]) for each in explained["targets"]] == [
        ("sip:10.1.0.1:5060", "gw"),
        ("sip:10.1.0.1:5080", "gwalt"),
    ]
    assert "Permitted by 203.0.113.0/24" in operator("permissions", "explain", "203.0.113.7").out


def test_why_a_call_is_refused_is_said(operator: Operator, write: Write) -> None:
    write(PutAddress(Address("203.0.113.0/24", 1), 1))
    assert "403 Forbidden" in operator("permissions", "explain", "198.51.100.1", status=1).out
    assert "500 No Destination available" in operator("permissions", "explain", "203.0.113.7", status=1).out
    said = operator("permissions", "explain", "203.0.113.0/24", status=2)
    assert "is no single IP address" in said.err


def test_a_permission_is_given_with_its_entry_in_the_journal(operator: Operator, reader: RoutingReader) -> None:
    said = operator.json("permissions", "add", "203.0.113.9/24", "--group", "1", "--yes")
    assert said["changed"] is True
    assert "no switch is in group 1" in said["warnings"][0]
    assert addresses(reader) == {"203.0.113.0/24": 1}
    assert journal(Table.ADDRESSES) == (1, [(1, "203.0.113.0/24", "put")])


def test_it_is_asked_for_at_a_terminal_and_nothing_happens_without_a_yes(
    operator: Operator, reader: RoutingReader
) -> None:
    add = ("permissions", "add", "203.0.113.7", "--group", "1")
    said = operator(*add, interactive=True, typed="y\n", status=1)
    assert "Permit 203.0.113.7 to call the switches of group 1." in said.err
    assert "not confirmed" in said.err
    assert addresses(reader) == {}
    assert "confirm with --yes" in operator(*add, typed="yes\n", status=2).err
    assert addresses(reader) == {}
    operator(*add, interactive=True, typed="yes\n")
    assert addresses(reader) == {"203.0.113.7": 1}


def test_doing_it_again_says_that_nothing_changed(operator: Operator, reader: RoutingReader, write: Write) -> None:
    write(PutAddress(Address("203.0.113.7", 1), 1))
    said = operator("permissions", "add", "203.0.113.7", "--group", "1", "--yes")
    assert "nothing changed" in said.out
    assert operator.json("permissions", "add", "203.0.113.7", "--group", "2", "--yes")["changed"] is True
    assert addresses(reader) == {"203.0.113.7": 2}


@pytest.mark.parametrize(
    ("address", "group", "status", "said"),
    [
        ("0.0.0.0/0", "1", 2, "admit the whole Internet"),
        ("::/0", "1", 2, "admit the whole Internet"),
        ("198.0.0.0/8", "1", 1, "16,777,216 addresses"),
        ("127.0.0.1", "1", 1, "no carrier calls from there"),
        ("carrier.example.org", "1", 2, "not an IP address or CIDR"),
        ("203.0.113.7", "-1", 2, "group_id is -1"),
        ("203.0.113.7", "40000", 2, "would have no effect"),
        ("2001:db8::/32", "1", 2, "would have no effect"),
    ],
)
def test_what_is_dangerous_or_wrong_is_refused(
    operator: Operator, reader: RoutingReader, address: str, group: str, status: int, said: str
) -> None:
    assert said in operator("permissions", "add", address, "--group", group, "--yes", status=status).err
    assert addresses(reader) == {}


def test_what_is_dangerous_can_be_forced_but_not_the_whole_internet(operator: Operator, reader: RoutingReader) -> None:
    operator("permissions", "add", "198.0.0.0/8", "--group", "1", "--yes", "--force")
    operator("permissions", "add", "0.0.0.0/0", "--group", "1", "--yes", "--force", status=2)
    assert addresses(reader) == {"198.0.0.0/8": 1}


def test_a_network_that_decides_first_is_warned_of(operator: Operator, write: Write) -> None:
    write(target("10.1.0.1", "a"), target("10.1.0.2", "b", group=2), PutAddress(Address("203.0.113.0/24", 1), 1))
    said = operator.json("permissions", "add", "203.0.113.7", "--group", "2", "--yes")
    assert said["warnings"] == [
        "203.0.113.0/24 has 203.0.113.7, too, and group 1 goes before 2: its calls go there",
    ]


def test_a_permission_is_revoked_and_what_still_permits_it_is_said(
    operator: Operator, reader: RoutingReader, write: Write
) -> None:
    write(PutAddress(Address("203.0.113.0/24", 1), 1), PutAddress(Address("203.0.113.7", 1), 1))
    said = operator.json("permissions", "remove", "203.0.113.7", "--yes")
    assert said == {"source_ip": "203.0.113.7", "changed": True, "still_permitted_by": ["203.0.113.0/24"]}
    assert addresses(reader) == {"203.0.113.0/24": 1}
    missing = operator("permissions", "remove", "203.0.113.7", "--yes", status=1)
    assert "there is no permission of 203.0.113.7; it is permitted as part of 203.0.113.0/24" in missing.err


# --- order among the platform's jobs (docs/routing-tables.md)


def test_an_older_job_does_not_undo_what_the_operator_did_and_a_later_one_does(
    operator: Operator, reader: RoutingReader, write: Write
) -> None:
    before = now()
    operator("permissions", "add", "203.0.113.7", "--group", "1", "--yes")
    write(DeleteAddress("203.0.113.7", before - 60_000), SetAddressGroup("203.0.113.7", 2, before - 60_000))
    assert addresses(reader) == {"203.0.113.7": 1}
    write(SetAddressGroup("203.0.113.7", 2, now() + 1))
    assert addresses(reader) == {"203.0.113.7": 2}
    write(DeleteAddress("203.0.113.7", now() + 1))
    assert addresses(reader) == {}


def test_confirming_what_is_there_outdates_older_jobs_too(
    operator: Operator, reader: RoutingReader, write: Write
) -> None:
    write(PutAddress(Address("203.0.113.7", 1), 1))
    operator("permissions", "add", "203.0.113.7", "--group", "1", "--yes")
    write(DeleteAddress("203.0.113.7", now() - 60_000))
    assert addresses(reader) == {"203.0.113.7": 1}


def test_an_older_creation_does_not_bring_a_revoked_permission_back(
    operator: Operator, reader: RoutingReader, write: Write
) -> None:
    write(PutAddress(Address("203.0.113.7", 1), 1))
    operator("permissions", "remove", "203.0.113.7", "--yes")
    write(PutAddress(Address("203.0.113.7", 1), now() - 60_000))
    assert addresses(reader) == {}


def test_a_job_that_counts_as_later_is_reported(operator: Operator, write: Write) -> None:
    write(DeleteAddress("203.0.113.7", now() + 60_000))
    said = operator("permissions", "add", "203.0.113.7", "--group", "1", "--yes", status=1)
    assert "sent later decided otherwise" in said.err


@pytest.mark.parametrize(("ahead", "said"), [(60.0, "seconds ahead of AWS's"), (-60.0, "seconds behind AWS's")])
def test_a_wrong_clock_changes_nothing(operator: Operator, ahead: float, said: str) -> None:
    operator.ahead = ahead
    refused = operator("permissions", "add", "203.0.113.7", "--group", "1", "--yes", status=1)
    assert said in refused.err
    assert rows(Table.ADDRESSES) == []
