"""No input makes the reading of a document do anything but return verbs or raise TwimlError, in little time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch_app.errors import TwimlError
from switch_app.verbs.catalogue import VERBS, read_verbs

NAMES = [*VERBS, "Number", "Sip", "Parameter", "Response", "Conference", "say", "emphasis"]
ATTRIBUTES = [
    *("action", "method", "timeout", "finishOnKey", "numDigits", "actionOnEmptyResult", "input", "bargeIn", "loop"),
    *("voice", "language", "length", "digits", "playBeep", "maxLength", "trim", "recordingStatusCallback", "record"),
    *("recordingStatusCallbackMethod", "recordingStatusCallbackEvent", "callerId", "timeLimit", "hangupOnStar"),
    *("answerOnBridge", "sendDigits", "username", "password", "reason", "foo", "xml:lang"),
]
VALUES = ["", "0", "-1", "5", "9" * 20, "true", "FALSE", "GET", "#", "record-from-answer", "http://[", "\u0663"]
TEXTS = [
    "",
    " ",
    "Hello",
    "sip:a@b?x-a=1&amp;x-b=%00",
    "sip:",
    "+855 16",
    "http://[",
    "&#10;",
    "<![CDATA[<b>]]>",
    "&a;",
]

# Characters that XML has no place for are part of it: it must say so.
text = st.sampled_from(TEXTS) | st.text(max_size=20)
attributes = st.dictionaries(st.sampled_from(ATTRIBUTES), st.sampled_from(VALUES) | st.text(max_size=10), max_size=4)


def _written(name: str, attributes: dict[str, str], inner: list[str]) -> str:
    written = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<{name}{written}>{''.join(inner)}</{name}>"


elements = st.recursive(
    st.builds(_written, st.sampled_from(NAMES), attributes, st.lists(text, max_size=2)),
    lambda inner: st.builds(_written, st.sampled_from(NAMES), attributes, st.lists(inner | text, max_size=4)),
    max_leaves=12,
)


def read(content: bytes | str) -> None:
    began = time.monotonic()
    try:
        read_verbs(content)
    except TwimlError as error:
        raised = error
    else:
        raised = None
    assert time.monotonic() - began < 5
    assert raised is None or (str(raised) and (raised.line is None or raised.line >= 1))


@given(st.binary(max_size=300))
def test_any_bytes(content: bytes) -> None:
    read(content)


@given(st.text(max_size=300) | st.text(alphabet=st.characters(), max_size=50).map(lambda text: f"<Response>{text}"))
def test_any_text(content: str) -> None:
    read(content)


@given(st.lists(elements, max_size=4))
def test_any_elements(inner: list[str]) -> None:
    read(f"<Response>{''.join(inner)}</Response>")


@given(st.lists(elements, min_size=1, max_size=3), st.data())
def test_any_damage(inner: list[str], data: st.DataObject) -> None:
    content = f"<Response>{''.join(inner)}</Response>".encode("utf-8", "surrogatepass")
    at = data.draw(st.integers(0, len(content)))
    length = data.draw(st.integers(0, 5))
    read(content[:at] + data.draw(st.binary(max_size=5)) + content[at + length :])


@pytest.mark.parametrize(
    "content",
    [
        "<Response>" + "<Say/>" * 10_000 + "</Response>",
        "<Response><Gather>" + '<Say loop="0">a</Say>' * 2900 + "</Gather></Response>",
        "<Response>" + "<a>" * 15_000,
        "<Response " + " ".join(f'a{number}=""' for number in range(7000)) + "/>",
        "<Response><Dial>" + "<Number>1</Number>" * 3000 + "</Dial></Response>",
        "<Response>" + "<!---->" * 9000 + "</Response>",
        "<Response>" + "&#1234;" * 9000 + "</Response>",
        "<Response><Sip>sip:a@b?" + "x=&amp;" * 9000 + "</Sip></Response>",
        "\n" * 65_000 + "<Response/>",
    ],
    ids=["verbs", "prompts", "depth", "attributes", "nouns", "comments", "characters", "headers", "lines"],
)
def test_as_much_of_anything_as_there_may_be(content: str) -> None:
    read(content)
