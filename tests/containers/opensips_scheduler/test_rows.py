"""What OpenSIPS could not use is refused by name, before it comes into the file."""

import pytest

from opensips_scheduler.errors import InvalidSetting, UnusableRow
from opensips_scheduler.rows import RowBuilder
from routing import Address, Domain, Record
from tests.containers.opensips_scheduler.conftest import PASSWORD, target


@pytest.mark.parametrize(
    ("record", "named"),
    [
        (target(1, dst_uri="sips:10.0.0.1:5060"), "dst_uri"),
        (target(1, dst_uri="sip:10.0.0.1"), "dst_uri"),
        (target(1, dst_uri="sip:10.0.0.1:0"), "dst_uri"),
        (target(1, dst_uri="sip:10.0.0.256:5060"), "dst_uri"),
        (target(1, event_socket="10.0.0.1:65536"), "event_socket"),
        (target(1, event_socket="switch:8021"), "event_socket"),
        (Address("192.0.2.1", 32_768), "group_id"),
        (Domain("two words"), "domain"),
    ],
)
def test_what_opensips_would_drop_is_refused_by_name(record: Record, named: str) -> None:
    with pytest.raises(UnusableRow, match=named):
        RowBuilder(PASSWORD).row(record)


def test_an_ipv6_target_is_used() -> None:
    row = RowBuilder(PASSWORD).row(target(1, dst_uri="sip:[2001:db8::1]:5060", event_socket="[2001:db8::1]:8021"))
    assert row[2] == f"gw=fs://:{PASSWORD}@[2001:db8::1]:8021"


@pytest.mark.parametrize("password", ["", "with space", "at@host", "a/b", "a;b", "x" * 129])
def test_a_password_that_cannot_stand_in_a_url_is_refused_without_being_told(password: str) -> None:
    with pytest.raises(InvalidSetting, match="FS_EVENT_SOCKET_PASSWORD") as refusal:
        RowBuilder(password)
    assert not password or password not in str(refusal.value)
