"""Header lines: each is what it would be if all were decoded at once."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch_app.errors import EventSocketError
from switch_app.freeswitch.headers import Headers, Prefixed, decoded, read_headers

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,20}", fullmatch=True)


@given(st.lists(st.tuples(NAMES, st.text(max_size=30)), min_size=1, max_size=8))
def test_of_a_name_that_comes_twice_the_first_counts(pairs: list[tuple[str, str]]) -> None:
    headers = Headers("\n".join(f"{name}: {quote(value)}" for name, value in pairs).encode(), is_encoded=True)
    assert dict(headers) == dict(reversed(pairs))
    assert len(headers) == len(dict(pairs))


def test_a_name_is_found_as_a_whole_only() -> None:
    headers = Headers(b"Other-Leg-Unique-ID: 1\nUnique-ID-More: 2\nValue: Unique-ID: 3")
    assert "Unique-ID" not in headers
    assert headers.get("Unique-ID", "none") == "none"
    assert headers["Value"] == "Unique-ID: 3"
    assert headers.get("Value: Unique-ID") is None
    assert headers.get("Value:\nUnique-ID") is None
    with pytest.raises(KeyError):
        headers["Unique-ID"]


def test_values_are_decoded_when_they_are_encoded() -> None:
    headers = Headers(b"Cause:  a%20b%0Ac \nName:")
    assert (headers["Cause"], headers["Name"]) == ("a%20b%0Ac", "")
    assert headers.decoded()["Cause"] == "a b\nc"


def test_bytes_that_are_no_text_are_read_all_the_same() -> None:
    headers = Headers(b"a\xff: b\xff")
    assert list(headers.values()) == ["b�"]


@pytest.mark.parametrize("lines", [b"", b"a: b\n", b"a: b\n\nc: d", b"a: b\nno name", b" : b", b":b", b"a: b\n\t:c"])
def test_a_line_without_a_name_is_an_error(lines: bytes) -> None:
    with pytest.raises(EventSocketError, match="a header line is"):
        read_headers(lines)


@given(st.lists(st.tuples(NAMES, st.text(max_size=30)), min_size=1, max_size=8), st.sampled_from([0, 2000]))
def test_few_headers_are_read_as_many_are(pairs: list[tuple[str, str]], more: int) -> None:
    pairs = [*pairs, ("more", "m" * more)]
    headers = read_headers("\n".join(f"{name}: {quote(value)}" for name, value in pairs).encode())
    assert dict(decoded(headers)) == dict(reversed(pairs))
    assert set(headers.values()) == {quote(value) for value in dict(reversed(pairs)).values()}


def test_a_line_without_a_name_is_no_header() -> None:
    assert dict(Headers(b"a: b\nno name\n: c\nd: e")) == {"a": "b", "d": "e"}


def test_some_headers_by_what_follows_their_prefix() -> None:
    variables = Prefixed(Headers(b"variable_a: 1\nOther: 2\nvariable_b: 3"), "variable_")
    assert variables == {"a": "1", "b": "3"}
    assert len(variables) == 2
    assert variables.get("Other") is None
