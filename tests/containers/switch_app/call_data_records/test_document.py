"""Records as the media server writes them, and as they are sent."""

import base64
import json
from typing import Any
from urllib.parse import parse_qs, quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch_app.call_data_records.document import (
    LostCall,
    NotWhole,
    counts,
    lost_document,
    parse_document,
    unreached_document,
    write_document,
)
from tests.fakes.call_platform import decode_record

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from([":nan", "+ ", "a:nan,b", '":nan']),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("content", "document"),
    [
        (b'{"mos":nan,"rate":-nan,"NaN":NaN}', {"mos": None, "rate": None, "NaN": None}),
        (b'{"text":":nan","a":":nan, \\"nan\\": nan"}', {"text": ":nan", "a": ':nan, "nan": nan'}),
        (b'{"banana":"nan"}\n', {"banana": "nan"}),
        (b'{"broken":"\xff"}', {"broken": "\ufffd"}),
    ],
)
def test_a_number_that_is_none_is_null_and_a_text_is_itself(content: bytes, document: Any) -> None:
    assert parse_document(content) == document


@pytest.mark.parametrize("content", [b"", b"{", b'{"a":', b"[]", b"null", b"<cdr/>", b"[" * 100_000])
def test_what_is_no_record_is_not_read(content: bytes) -> None:
    with pytest.raises(NotWhole):
        parse_document(content)


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_a_record_reaches_the_platform_as_it_was(document: dict[str, Any]) -> None:
    """Through base64, the escaping of a form, its decoding, and the platform's replacing of `:nan`."""
    written = write_document(document)
    body = f"cdr={quote(base64.b64encode(written.encode('ascii')).decode(), safe='')}"
    assert "+" not in body
    assert decode_record(parse_qs(body)["cdr"][0]) == document
    assert parse_document(written.encode()) == document


@given(st.binary(max_size=200))
def test_no_content_is_too_strange(content: bytes) -> None:
    try:
        document = parse_document(content)
    except NotWhole:
        return
    assert isinstance(document, dict)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({"record_cdr": "true"}, True), ({"record_cdr": "false"}, False), ({}, False), ("x", False), (None, False)],
)
def test_a_leg_counts_when_it_says_so(variables: Any, expected: bool) -> None:
    assert counts({"variables": variables}) == expected


@pytest.mark.parametrize(
    ("status", "told"), [(480, "480"), (487, "487"), (603, "603"), (486, "486"), (600, "486"), (503, "503")]
)
def test_a_call_that_was_never_a_channel_has_all_that_the_platform_needs(status: int, told: str) -> None:
    document = unreached_document("uuid", "call-sid", "USER_BUSY", status, 1_657_097_403)
    assert document["variables"] == {
        "record_cdr": "true",
        "uuid": "uuid",
        "sip_h_X-Somleng-CallSid": "call-sid",
        "direction": "outbound",
        "hangup_cause": "USER_BUSY",
        "duration": "0",
        "billsec": "0",
        "start_epoch": "1657097403",
        "answer_epoch": "0",
        "end_epoch": "1657097403",
        "sip_term_status": told,
    }
    assert counts(document)
    assert json.loads(write_document(document)) == document


@pytest.mark.parametrize(
    ("answered", "epoch", "billed", "status"),
    [(1_000, 1_090, "90", "200"), (None, 1_090, "0", "503"), (1_000, 999, "0", "200")],
)
def test_a_call_that_died_with_the_media_server_is_billed_until_then(
    answered: int | None, epoch: int, billed: str, status: str
) -> None:
    variables = lost_document(LostCall("uuid", "call-sid", "inbound", 990, answered), epoch)["variables"]
    assert (variables["billsec"], variables["answer_epoch"]) == (billed, str(answered or 0))
    assert (variables["duration"], variables["sip_term_status"]) == (str(epoch - 990), status)
    assert (variables["uuid"], variables["sip_h_X-Somleng-CallSid"]) == ("uuid", "call-sid")
    assert counts({"variables": variables})


def test_without_a_status_it_failed() -> None:
    assert "sip_term_status" not in unreached_document("uuid", "call-sid", "UNKNOWN", None, 0)["variables"]
