"""What a field may be; everything else becomes nothing."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.live import fields

MD5, SHA256 = "0cc175b9c0f1b6a831c399e269772661", "0cc175b9c0f1b6a831c399e269772661" * 2


@pytest.mark.parametrize(
    ("check", "value", "expected"),
    [
        (fields.identifier, "sip.example.org", "sip.example.org"),
        (fields.identifier, "2001:db8::1/64", "2001:db8::1/64"),
        (fields.identifier, MD5, ""),
        (fields.identifier, f"user-{SHA256}", ""),
        (fields.identifier, "two words", ""),
        (fields.identifier, "<script>", ""),
        (fields.identifier, "a" * 129, ""),
        (fields.identifier, None, ""),
        (fields.call_identifier, "7A6FB2BD-47ce-42fd-bfa9-8018a186bd88", "7a6fb2bd-47ce-42fd-bfa9-8018a186bd88"),
        (fields.call_identifier, "7a6fb2bd", ""),
        (fields.name, "switch_app.recordings.spool", "switch_app.recordings.spool"),
        (fields.name, f"a{MD5}", ""),
        (fields.name, "1234", ""),
        (fields.cause, "NORMAL_CLEARING", "NORMAL_CLEARING"),
        (fields.cause, "normal", ""),
        (fields.number, "200", 200),
        (fields.number, 7, 7),
        (fields.number, True, None),
        (fields.number, "1e9", None),
        (fields.number, "٣", None),
        (fields.number, "1" * 16, None),
        (fields.socket_uri, "sip:10.0.0.1:5060", "sip:10.0.0.1:5060"),
        (fields.socket_uri, "udp:[2001:db8::1]:2223", "udp:[2001:db8::1]:2223"),
        (fields.socket_uri, "fs://:ClueCon@10.0.0.1:8021", ""),
        (fields.socket_uri, "sip:user:password@10.0.0.1:5060", ""),
        (fields.sip_address, "sip:user1@192.168.1.75:5060;transport=udp;pn-prid=token", "192.168.1.75:5060"),
        (fields.sip_address, "sip:user1:password@192.168.1.75", "192.168.1.75"),
        (fields.sip_address, "sip:[2001:db8::1]:5060", "[2001:db8::1]:5060"),
        (fields.sip_address, "tel:+85512345678", ""),
        (fields.network, "203.0.113.0/24", "203.0.113.0/24"),
        (fields.network, "4711", ""),
        (fields.network, 4711, ""),
        (fields.task, "arn:aws:ecs:ap-southeast-1:123456789012:task/somleng-switch/8ec8d7271f8146d2", "8ec8d727"),
        (fields.task, "8ec8d727", ""),
    ],
)
def test_values(check: Callable[[object], object], value: object, expected: object) -> None:
    assert check(value) == expected


CHECKS = [
    fields.identifier, fields.call_identifier, fields.name, fields.cause, fields.socket_uri, fields.sip_address,
    fields.network, fields.task,
]  # fmt: skip


@given(st.one_of(st.text(), st.binary(), st.integers(), st.none(), st.lists(st.text()), st.floats()))
def test_whatever_comes_is_no_error_and_never_markup(value: object) -> None:
    for check in CHECKS:
        assert not set(check(value)) & set("<>\"'&\n ")
    assert fields.number(value) is None or isinstance(value, int | str)
