"""The messages of a media stream."""

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch_app.call import Track
from switch_app.errors import InvalidMessage
from switch_app.media_streams.messages import Audio, Clear, Mark, Outgoing, StreamIdentity, read_message

SID = "0edc29ef-e45f-408a-89f2-3266ce3352b6"
IDENTITY = StreamIdentity("account", "call", SID)


def outgoing(*tracks: Track, **parameters: str) -> Outgoing:
    return Outgoing(IDENTITY, tracks or (Track.INBOUND,), parameters)


def test_a_stream_from_its_beginning_to_its_end() -> None:
    out = outgoing(foo="bar")
    texts = [
        out.connected(),
        out.start(),
        out.media(Track.INBOUND, b"\xff\xfe\xfb"),
        out.dtmf("1"),
        out.mark("audio"),
        out.stop(),
    ]
    assert [json.loads(text) for text in texts] == [
        {"event": "connected", "protocol": "Call", "version": "1.0.0"},
        {
            "event": "start",
            "sequenceNumber": "1",
            "start": {
                "accountSid": "account",
                "callSid": "call",
                "streamSid": SID,
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                "customParameters": {"foo": "bar"},
            },
            "customParameters": {"foo": "bar"},
            "streamSid": SID,
        },
        {
            "event": "media",
            "sequenceNumber": "2",
            "media": {"track": "inbound", "chunk": "1", "timestamp": "20", "payload": "//77"},
            "streamSid": SID,
        },
        {
            "event": "dtmf",
            "streamSid": SID,
            "sequenceNumber": "3",
            "dtmf": {"track": "inbound_track", "digit": "1"},
        },
        {"event": "mark", "sequenceNumber": "4", "streamSid": SID, "mark": {"name": "audio"}},
        {
            "event": "stop",
            "sequenceNumber": "5",
            "stop": {"accountSid": "account", "callSid": "call"},
            "streamSid": SID,
        },
    ]


def test_each_track_has_its_own_chunks_and_one_that_is_not_sent_leaves_a_gap() -> None:
    out = outgoing(Track.INBOUND, Track.OUTBOUND)
    out.media(Track.INBOUND, b"")
    out.skip(Track.INBOUND)
    messages = [json.loads(out.media(track, b"")) for track in (Track.INBOUND, Track.OUTBOUND)]
    assert [message["media"]["chunk"] for message in messages] == ["3", "1"]
    assert [message["media"]["timestamp"] for message in messages] == ["60", "20"]
    assert [message["sequenceNumber"] for message in messages] == ["2", "3"]


@given(sid=st.text(), payload=st.binary(max_size=400), name=st.text(), parameters=st.dictionaries(st.text(), st.text()))
def test_whatever_is_said_is_json_and_comes_back(
    sid: str, payload: bytes, name: str, parameters: dict[str, str]
) -> None:
    out = Outgoing(StreamIdentity("account", "call", sid), [Track.INBOUND], parameters)
    assert json.loads(out.start())["start"]["customParameters"] == parameters
    assert json.loads(out.start())["streamSid"] == sid
    heard = json.loads(out.media(Track.INBOUND, payload))
    assert (heard["streamSid"], base64.b64decode(heard["media"]["payload"])) == (sid, payload)
    assert json.loads(out.mark(name))["mark"]["name"] == name
    assert read_message(out.media(Track.INBOUND, payload), sid) == Audio(payload)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"event": "media", "streamSid": SID, "media": {"payload": "//77"}}, Audio(b"\xff\xfe\xfb")),
        ({"event": "media", "media": {"payload": "", "track": "inbound"}}, Audio(b"")),
        ({"event": "mark", "streamSid": SID, "mark": {"name": "a"}}, Mark("a")),
        ({"event": "clear", "streamSid": SID}, Clear()),
    ],
)
def test_what_the_other_side_says(message: dict[str, Any], expected: object) -> None:
    assert read_message(json.dumps(message), SID) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("7", "no JSON object"),
        ("{}", "event"),
        ('{"event": ["media"]}', "event"),
        ('{"event": "media"}', "no payload"),
        ('{"event": "media", "media": {"payload": 7}}', "no payload"),
        ('{"event": "media", "media": {"payload": "////7"}}', "no base64"),
        ('{"event": "media", "media": {"payload": "ü"}}', "no base64"),
        ('{"event": "mark", "mark": "a"}', "no name"),
        (json.dumps({"event": "mark", "mark": {"name": "a" * 1001}}), "no name"),
        ('{"event": "clear", "streamSid": "another"}', "another stream"),
    ],
)
def test_what_is_no_message(text: str, problem: str) -> None:
    with pytest.raises(InvalidMessage, match=problem):
        read_message(text, SID)


@given(st.one_of(st.text(), st.recursive(st.none() | st.text(), st.lists, max_leaves=5).map(json.dumps)))
def test_no_input_breaks_the_reading(text: str) -> None:
    with contextlib.suppress(InvalidMessage):
        assert isinstance(read_message(text, SID), Audio | Mark | Clear)


@given(
    st.fixed_dictionaries(
        {"event": st.sampled_from(["media", "mark", "clear"])},
        optional={
            name: st.one_of(st.none(), st.text(), st.dictionaries(st.sampled_from(["payload", "name"]), st.text()))
            for name in ("media", "mark", "streamSid")
        },
    )
)
def test_no_message_breaks_the_reading(message: dict[str, Any]) -> None:
    with contextlib.suppress(InvalidMessage):
        assert isinstance(read_message(json.dumps(message), SID), Audio | Mark | Clear)
