"""The messages of a media stream, made and read; no sockets here.

Twilio's protocol: https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

import binascii
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from switch_app.call import FRAME_SECONDS, Track
from switch_app.errors import InvalidMessage

_FRAME_MILLISECONDS: Final = round(FRAME_SECONDS * 1000)
_NAME_MAXIMUM: Final = 1000


@dataclass(frozen=True, slots=True)
class StreamIdentity:
    """Whose stream it is, by the platform's identifiers."""

    account_sid: str
    call_sid: str
    stream_sid: str


@dataclass(frozen=True, slots=True)
class Audio:
    """The other side wants something to be heard: µ-law, 8 kHz."""

    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mark:
    """The other side wants to be told when all that it has sent so far was heard."""

    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    """The other side wants what was not heard yet to be forgotten."""


class Outgoing:
    """Makes a stream's messages, in order.

    Args:
        identity: whose stream it is.
        tracks: what is in it.
        parameters: the customer's own, by name.

    """

    def __init__(self, identity: StreamIdentity, tracks: Collection[Track], parameters: Mapping[str, str]) -> None:
        self._identity, self._parameters = identity, dict(parameters)
        self._sequence = 0
        self._chunks = dict.fromkeys(tracks, 0)
        # Fifty a second a track: it is put together by hand. Every value but the sid is base64 or a number.
        sid = json.dumps(identity.stream_sid)
        self._media = {
            track: '{"event":"media","sequenceNumber":"%d","media":{"track":"'
            + track.value
            + '","chunk":"%d","timestamp":"%d","payload":"%s"},"streamSid":'
            + sid.replace("%", "%%")
            + "}"
            for track in tracks
        }

    def connected(self) -> str:
        """Return the first message."""
        return _text({"event": "connected", "protocol": "Call", "version": "1.0.0"})

    def start(self) -> str:
        """Return the second message. The customer's parameters are where Twilio has them, within `start`, and beside
        it, where clients of the platform have looked for them so far."""
        started = {
            "accountSid": self._identity.account_sid,
            "callSid": self._identity.call_sid,
            "streamSid": self._identity.stream_sid,
            "tracks": [track.value for track in self._chunks],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": self._parameters,
        }
        return self._numbered("start", {"start": started, "customParameters": self._parameters})

    def media(self, track: Track, payload: bytes) -> str:
        """Return a message with the next 20 ms of a track.

        Args:
            track: which.
            payload: µ-law, 8 kHz.

        """
        self._sequence += 1
        chunk = self._chunks[track] = self._chunks[track] + 1
        encoded = binascii.b2a_base64(payload, newline=False).decode("ascii")
        return self._media[track] % (self._sequence, chunk, chunk * _FRAME_MILLISECONDS, encoded)

    def skip(self, track: Track) -> None:
        """Take notice that 20 ms of a track are not sent: chunks and timestamps show the gap."""
        self._chunks[track] += 1

    def dtmf(self, digit: str) -> str:
        """Return a message that the caller has pressed a key."""
        return self._numbered("dtmf", {"dtmf": {"track": "inbound_track", "digit": digit}})

    def mark(self, name: str) -> str:
        """Return a message that what the other side sent before a mark was heard, or forgotten."""
        return self._numbered("mark", {"mark": {"name": name}})

    def stop(self) -> str:
        """Return the last message."""
        stopped = {"accountSid": self._identity.account_sid, "callSid": self._identity.call_sid}
        return self._numbered("stop", {"stop": stopped})

    def _numbered(self, event: str, content: Mapping[str, Any]) -> str:
        self._sequence += 1
        head = {"event": event, "sequenceNumber": str(self._sequence)}
        return _text({**head, **content, "streamSid": self._identity.stream_sid})


def read_message(text: str, stream_sid: str) -> Audio | Mark | Clear:
    """Return the message that the other side sent.

    Args:
        text: as it came.
        stream_sid: the stream that it must be for; one that names none is taken.

    Raises:
        InvalidMessage: when it is none.

    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidMessage("a message is no JSON") from None
    if not isinstance(message, dict):
        raise InvalidMessage("a message is no JSON object")
    if message.get("streamSid", stream_sid) != stream_sid:
        raise InvalidMessage("a message is for another stream")
    event = message.get("event")
    if event == "media":
        return Audio(_payload(message.get("media")))
    if event == "mark":
        return Mark(_name(message.get("mark")))
    if event == "clear":
        return Clear()
    raise InvalidMessage("a message's event is none of media, mark and clear")


def _payload(media: object) -> bytes:
    payload = media.get("payload") if isinstance(media, dict) else None
    if not isinstance(payload, str):
        raise InvalidMessage("a media message has no payload")
    try:
        return binascii.a2b_base64(payload, strict_mode=True)
    except ValueError:
        raise InvalidMessage("a media message's payload is no base64") from None


def _name(mark: object) -> str:
    name = mark.get("name") if isinstance(mark, dict) else None
    if not isinstance(name, str) or len(name) > _NAME_MAXIMUM:
        raise InvalidMessage(f"a mark message has no name of at most {_NAME_MAXIMUM} characters")
    return name


def _text(message: Mapping[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"))
