"""The event socket's messages: any split of the bytes gives the same, and what is none is refused."""

import contextlib
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch_app.errors import EventSocketError
from switch_app.freeswitch.messages import BODY_MAXIMUM, HEAD_MAXIMUM, Event, Message, Parser, command

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,20}", fullmatch=True).filter(
    lambda name: name.lower() != "content-length"
)
VALUES = st.from_regex(r"[!-9;-~]([ -~]{0,30}[!-9;-~])?", fullmatch=True)
HEADERS = st.dictionaries(NAMES, VALUES, min_size=1, max_size=5)


def written(headers: dict[str, str], body: bytes) -> bytes:
    length = {"Content-Length": str(len(body))} if body else {}
    return b"".join(f"{name}: {value}\n".encode() for name, value in (headers | length).items()) + b"\n" + body


@st.composite
def split(draw: st.DrawFn) -> tuple[list[tuple[dict[str, str], bytes]], list[bytes]]:
    messages = draw(st.lists(st.tuples(HEADERS, st.binary(max_size=60)), min_size=1, max_size=5))
    stream = b"".join(written(*message) for message in messages)
    cuts = sorted(draw(st.sets(st.integers(0, len(stream)), max_size=10)))
    return messages, [stream[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


@given(split())
def test_any_split_of_the_bytes_gives_the_same_messages(
    case: tuple[list[tuple[dict[str, str], bytes]], list[bytes]],
) -> None:
    messages, pieces = case
    parser = Parser()
    read = [message for piece in pieces for message in parser.feed(piece)]
    assert [message.body for message in read] == [body for _, body in messages]
    for message, (headers, _) in zip(read, messages, strict=True):
        assert {name: value for name, value in message.headers.items() if name != "Content-Length"} == headers


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_garbage_is_messages_or_an_error_and_nothing_else(pieces: list[bytes]) -> None:
    parser = Parser()
    with contextlib.suppress(EventSocketError):  # any other exception fails
        for piece in pieces:
            for message in parser.feed(piece):
                message.event()


@pytest.mark.parametrize(
    ("stream", "says"),
    [
        (b"no header\n\n", "header line"),
        (b": no name\n\n", "header line"),
        (b"Content-Length: many\n\n", "Content-Length"),
        (b"Content-Length: -1\n\n", "Content-Length"),
        ("Content-Length: ²\n\n".encode(), "Content-Length"),
        (f"Content-Length: {BODY_MAXIMUM + 1}\n\n".encode(), "more than"),
    ],
)
def test_what_is_no_message_is_an_error_that_says_why(stream: bytes, says: str) -> None:
    with pytest.raises(EventSocketError, match=says):
        Parser().feed(stream)


def test_headers_without_an_end_are_not_kept_for_ever() -> None:
    parser = Parser()
    for _ in range(HEAD_MAXIMUM // 65536):
        assert parser.feed(b"x" * 65536) == []
    with pytest.raises(EventSocketError, match="headers"):
        parser.feed(b"x")


def test_empty_lines_between_messages_are_nothing() -> None:
    assert [message.reply for message in Parser().feed(b"\n\nReply-Text: +OK\n\n\n\nReply-Text: -ERR no\n\n")] == [
        "+OK",
        "-ERR no",
    ]


@given(st.dictionaries(NAMES, st.text(max_size=40), min_size=1, max_size=5), st.text(max_size=50))
def test_an_event_gives_what_was_meant(values: dict[str, str], text: str) -> None:
    body = text.encode()
    headers = {name: quote(value) for name, value in values.items()}
    head = "".join(f"{name}: {value}\n" for name, value in headers.items())
    inner = head.encode() + (f"Content-Length: {len(body)}\n\n".encode() + body if body else b"\n")
    message = Parser().feed(written({"Content-Type": "text/event-plain"}, inner))[0]
    event = message.event()
    assert {name: event.headers[name] for name in values} == values
    assert event.body == text


def test_an_event_whose_body_is_not_as_long_as_it_says_is_an_error() -> None:
    with pytest.raises(EventSocketError, match="body"):
        Message({}, b"Event-Name: A\nContent-Length: 5\n\nabc").event()
    with pytest.raises(EventSocketError, match="body"):
        Message({}, b"Event-Name: A").event()


def test_a_channels_variables_are_told_from_its_other_headers() -> None:
    event = Event({"Event-Name": "CHANNEL_ANSWER", "Unique-ID": "1", "variable_sip_term_status": "200"})
    assert (event.name, event.uuid, event.variables) == ("CHANNEL_ANSWER", "1", {"sip_term_status": "200"})
    assert event.variable("sip_term_status") == "200"
    assert event.variable("other") == ""


def test_of_an_api_command_the_body_is_the_reply() -> None:
    assert Message({"Content-Type": "api/response"}, b"-ERR No such channel!\n").reply == "-ERR No such channel!"


def test_a_command_with_a_body_says_how_long_it_is() -> None:
    assert command("sendmsg", {"call-command": "execute"}, "á\n\n") == (
        b"sendmsg\ncall-command: execute\ncontent-type: text/plain\ncontent-length: 4\n\n\xc3\xa1\n\n"
    )


@given(st.text(), st.sampled_from("\n\r\0"), st.text())
def test_no_line_of_a_command_can_begin_another(before: str, separator: str, after: str) -> None:
    with pytest.raises(EventSocketError, match="line break"):
        command(f"api {before}{separator}{after}")
    with pytest.raises(EventSocketError, match="line break"):
        command("sendmsg", {"execute-app-name": f"{before}{separator}{after}"})
