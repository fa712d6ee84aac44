"""Which permission decides, against a search through every row as OpenSIPS makes it."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing import Address
from switch_operator.permission_rules import danger, decide, parse_caller, unusable

# Few addresses, so that networks overlap: the last byte of IPv4, and of IPv6.
V4 = st.builds(lambda last, length: f"10.0.0.{last}/{length}", st.integers(0, 255), st.integers(24, 32))
V6 = st.builds(lambda last, length: f"2001:db8::{last:x}/{length}", st.integers(0, 255), st.integers(118, 128))
ROWS = st.lists(st.builds(Address, V4 | V6, st.integers(0, 3)), max_size=8)
CALLERS = st.builds("10.0.0.{}".format, st.integers(0, 255)) | st.builds(
    lambda last: str(ipaddress.ip_address(f"2001:db8::{last:x}")), st.integers(0, 1023)
)


def group_by_search(caller: str, rows: list[Address]) -> int | None:
    """Go through the groups by number and through every address of each of their rows."""
    for group in sorted({row.group_id for row in rows}):
        for row in rows:
            if row.group_id == group and caller in {str(each) for each in ipaddress.ip_network(row.source_ip)}:
                return group
    return None


@given(caller=CALLERS, rows=ROWS)
def test_the_lowest_group_that_has_the_caller_decides(caller: str, rows: list[Address]) -> None:
    decision = decide(parse_caller(caller), rows)
    assert decision.group == group_by_search(caller, rows)
    if decision.group is not None:
        assert decision.matches[0].address.group_id == decision.group
    expected = [row for row in rows if caller in {str(each) for each in ipaddress.ip_network(row.source_ip)}]
    assert sorted(map(repr, expected)) == sorted(repr(match.address) for match in decision.matches)


def test_a_narrow_network_does_not_go_before_a_lower_group() -> None:
    decision = decide(parse_caller("192.0.2.7"), [Address("192.0.2.7", 2), Address("192.0.2.0/24", 1)])
    assert decision.group == 1


def test_an_ipv4_address_in_ipv6_is_the_ipv4_address() -> None:
    assert decide(parse_caller("::ffff:192.0.2.7"), [Address("192.0.2.7", 2)]).group == 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (Address("2001:db8::/32", 1), "two halves"),
        (Address("192.0.2.1", 32_768), "more than OpenSIPS can hold"),
    ],
)
def test_a_row_that_no_gateway_uses_permits_nobody(row: Address, reason: str) -> None:
    caller = parse_caller("2001:db8::1" if ":" in row.source_ip else "192.0.2.1")
    decision = decide(caller, [row])
    assert decision.group is None
    assert reason in str(decision.matches[0].unusable)


@pytest.mark.parametrize("row", ["192.0.2.0/24", "192.0.0.0/16", "2001:db8:1::/48", "10.0.0.1", "192.0.0.0/32"])
def test_a_carrier_s_network_is_no_danger(row: str) -> None:
    assert danger(Address(row, 1)) is None
    assert unusable(Address(row, 1)) is None


@pytest.mark.parametrize(
    "row", ["0.0.0.0/1", "192.0.0.0/15", "2000::/3", "127.0.0.1", "224.0.0.5", "0.0.0.0", "fe80::1"]
)
def test_others_are(row: str) -> None:
    assert danger(Address(row, 1)) is not None
