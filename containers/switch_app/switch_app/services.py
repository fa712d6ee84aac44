"""What a verb may ask for beside the call itself. Verbs know these, and no HTTP, AWS or disk behind them."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from switch_app.call import AudioFile, Call, Leg, Prompt, Track
from switch_app.call_data_records.document import LostCall
from switch_app.call_properties import BillingParameters, CallProperties, RoutingParameters


@dataclass(frozen=True, slots=True)
class Document:
    """A document as a customer's server gave it.

    Attributes:
        content: TwiML.
        url: where it came from in the end, redirects followed; what relative URLs are relative to.

    """

    content: bytes
    url: str


class Documents(Protocol):
    """The customer's server, for one call: its cookies are kept as long as the call lasts."""

    async def fetch(self, url: str, method: str, parameters: Sequence[tuple[str, str]]) -> Document:
        """Ask for a document, with a signature (contract of the TwiML requests).

        Raises:
            FetchFailed: saying why there is none.

        """
        ...


class Platform(Protocol):
    """The Somleng platform's services API."""

    async def create_outbound_calls(
        self, parent_call_sid: str, destinations: Sequence[str], sender: str | None
    ) -> Sequence["OutboundCall"]:
        """Have calls made for a Dial, one a destination, in their order.

        Raises:
            PlatformRefused, PlatformUnavailable: when there are none.

        """
        ...

    async def create_recording(
        self, call_sid: str, status_callback_url: str | None, status_callback_method: str | None
    ) -> "RecordingReference":
        """Announce a recording.

        Raises:
            PlatformRefused, PlatformUnavailable: when there is none.

        """
        ...

    def note_speech(self, call_sid: str, voice: str, characters: int) -> None:
        """Tell what is spoken, for billing. It returns at once."""
        ...


@dataclass(frozen=True, slots=True)
class OutboundCall:
    """A call that the platform made for a Dial."""

    sid: str
    account_sid: str
    carrier_sid: str
    sender: str
    routing: RoutingParameters
    billing: BillingParameters = field(default_factory=BillingParameters)


@dataclass(frozen=True, slots=True)
class RecordingReference:
    """A recording as the platform knows it: its identifier, and the URL that the customer is told."""

    sid: str
    url: str


class Prompts(Protocol):
    """Texts and URLs made audible."""

    def voice(self, name: str, language: str, default: str) -> str:
        """Return the identifier of the voice that a Say is spoken with: `Basic.Kal`, `Polly.Joanna-Neural`.

        Args:
            name: the attribute `voice`; empty where it is absent.
            language: the attribute `language`; empty where it is absent.
            default: the account's voice.

        """
        ...

    async def speech(self, voice: str, text: str) -> Prompt:
        """Return what lets the caller hear a text.

        Raises:
            SynthesisFailed: when there is no such speech.

        """
        ...

    async def audio(self, url: str) -> AudioFile:
        """Return the audio at a URL, on the disk.

        Raises:
            FetchFailed: when it is not there, too large, or of a kind that cannot be played.

        """
        ...


class Recordings(Protocol):
    """Recordings on their way from the disk to the platform."""

    def new_path(self, call_uuid: str) -> Path:
        """Return where a recording of a call is to be written: a WAV file that does not exist yet."""
        ...

    async def expect(self, path: Path, recording: RecordingReference) -> None:
        """Note which recording a file is going to be, so that it is delivered also when this process ends before it is
        handed over. It is handed over in any case, also when nothing is written."""
        ...

    async def deliver(self, path: Path, recording: RecordingReference) -> float | None:
        """Take over a finished file: it will reach the bucket and the platform, also when this process ends meanwhile.

        Returns:
            Its length in seconds; None for a file without audio, which is not delivered.

        """
        ...

    async def trim(self, path: Path) -> None:
        """Take the silence off both ends of a finished file."""
        ...


class Routes(Protocol):
    """How a call leaves."""

    async def leg(
        self, routing: RoutingParameters, call_sid: str, sender: str, *, account_sid: str, carrier_sid: str
    ) -> Leg:
        """Return the leg to dial for a call of the platform's.

        Raises:
            PlatformRefused: with status 404 when the client that it is for is not registered, with another when the
                parameters lead nowhere.
            PlatformUnavailable: when nobody can tell where the client is.

        """
        ...


class CallDataRecords(Protocol):
    """The records that calls are completed by at the platform."""

    def note_unreached(self, call_sid: str, cause: str, sip_status: int | None) -> None:
        """Have a record written for a call of a Dial that no channel was ever made of; the media server writes none,
        and nothing else would ever complete the call. It returns at once.

        Args:
            call_sid: the platform's identifier of the call.
            cause: FreeSWITCH's name of the Q.850 cause.
            sip_status: the final status that it ended with, or would have: 480 counts as not answered; None counts as
                failed.

        """
        ...

    async def note_owed(self, call_sids: Sequence[str]) -> None:
        """Note calls that the platform has made, so that each gets a record also when this process ends before it is
        dialled. It returns when they are on the disk, or cannot be."""
        ...

    def note_lost(self, call: LostCall) -> None:
        """Have a record written for a call that died with the media server. It returns at once."""
        ...


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """A media stream that is to be.

    Attributes:
        url: of the WebSocket.
        tracks: what of the call is in it.
        name: what the call knows it by; empty for nothing.
        parameters: the customer's own, by name.
        status_callback: absolute URL that is told what becomes of it; empty for none.
        status_callback_method: `GET` or `POST`.

    """

    url: str
    tracks: Sequence[Track]
    name: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    status_callback: str = ""
    status_callback_method: str = "POST"


Begin = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Begins what is to be finished whatever becomes of the verb: `Session.begin`."""


class MediaStreams(Protocol):
    """The media streams of one call."""

    def allows(self, url: str) -> bool:
        """Whether a stream may go to a URL by its scheme."""
        ...

    async def connect(self, call: Call, request: StreamRequest, begin: Begin) -> None:
        """Hand the call's audio over to a WebSocket, both ways, and return when it is the call's again: the other side
        has left, or was not there, or the call has ended. When it is cancelled, the stream ends. What goes wrong is
        logged and told to the platform."""
        ...

    def start(self, call: Call, request: StreamRequest, begin: Begin) -> None:
        """Begin to send the call's audio to a WebSocket, whatever is done on the call meanwhile. It ends with the call
        or when it is stopped."""
        ...

    def stop(self, name: str) -> bool:
        """End a stream that was started; tell whether there was one of that name."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """All of them, for one call."""

    documents: Documents
    platform: Platform
    prompts: Prompts
    recordings: Recordings
    routes: Routes
    call_data_records: CallDataRecords
    media_streams: MediaStreams


def headers_of(properties: CallProperties) -> Mapping[str, str]:
    """Return the SIP headers of what is answered to a caller. No more of the call than this goes to a carrier."""
    return {"X-Somleng-CallSid": properties.sid}
