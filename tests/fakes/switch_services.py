"""What a verb may ask for beside its call, in this process: each remembers what it was asked."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

from switch_app.call import AudioFile, Leg, Prompt, Speech
from switch_app.call_data_records.document import LostCall
from switch_app.call_properties import BillingParameters, RoutingParameters
from switch_app.errors import FetchFailed, PlatformRefused, SynthesisFailed
from switch_app.routes import PlatformRoutes
from switch_app.services import Document, OutboundCall, RecordingReference
from switch_app.voices.catalogue import Catalogue, polly_voices
from switch_app.voices.resolve import resolve_voice
from tests.fakes.polly import VOICES
from tests.support import wav_levels


@dataclass(frozen=True)
class Asked:
    """A request to the customer's server."""

    method: str
    url: str
    parameters: dict[str, str]
    at: float


@dataclass
class FakeDocuments:
    """The customer's server.

    Attributes:
        documents: TwiML, or an error, by absolute URL.
        redirected: where a URL leads to.
        seconds: how long an answer takes.

    """

    documents: dict[str, str | Exception] = field(default_factory=dict)
    redirected: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    asked: list[Asked] = field(default_factory=list)

    async def fetch(self, url: str, method: str, parameters: Sequence[tuple[str, str]]) -> Document:
        now = asyncio.get_running_loop().time()
        self.asked.append(Asked(method, url, dict(parameters), now))
        await asyncio.sleep(self.seconds)
        found = self.documents.get(url, FetchFailed(f"{url}: 404"))
        if isinstance(found, Exception):
            raise found
        return Document(found.encode(), urljoin(url, self.redirected.get(url, "")))


@dataclass
class FakePlatform:
    """The platform.

    Attributes:
        failure: what it answers to everything but notes.
        seconds: how long an answer takes.
        national_dialing, sip_profile, billing: of the calls that it makes.

    """

    failure: Exception | None = None
    seconds: float = 0.0
    national_dialing: bool = False
    sip_profile: str = "nat_gateway"
    billing: BillingParameters = field(default_factory=BillingParameters)
    speech: list[tuple[str, str, int]] = field(default_factory=list)
    dialled: list[tuple[str, list[str], str | None]] = field(default_factory=list)
    recordings: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    calls: list[OutboundCall] = field(default_factory=list)
    media_streams: list[tuple[str, str, str, dict[str, str]]] = field(default_factory=list)
    media_stream_events: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    async def create_outbound_calls(
        self, parent_call_sid: str, destinations: Sequence[str], sender: str | None
    ) -> Sequence[OutboundCall]:
        await self._answer()
        self.dialled.append((parent_call_sid, list(destinations), sender))
        made = [self._call(destination, sender) for destination in destinations]
        self.calls += made
        return made

    async def create_recording(
        self, call_sid: str, status_callback_url: str | None, status_callback_method: str | None
    ) -> RecordingReference:
        await self._answer()
        self.recordings.append((call_sid, status_callback_url, status_callback_method))
        number = len(self.recordings)
        return RecordingReference(f"recording-{number}", f"https://api.example.com/Recordings/recording-{number}")

    async def create_media_stream(
        self, call_sid: str, url: str, tracks: str, custom_parameters: Mapping[str, str]
    ) -> str:
        await self._answer()
        self.media_streams.append((call_sid, url, tracks, dict(custom_parameters)))
        return f"stream-{len(self.media_streams)}"

    def note_media_stream_event(self, stream_sid: str, kind: str, details: Mapping[str, Any]) -> None:
        self.media_stream_events.append((stream_sid, kind, dict(details)))

    def note_speech(self, call_sid: str, voice: str, characters: int) -> None:
        self.speech.append((call_sid, voice, characters))

    async def _answer(self) -> None:
        await asyncio.sleep(self.seconds)
        if self.failure is not None:
            raise self.failure

    def _call(self, destination: str, sender: str | None) -> OutboundCall:
        sip = destination.startswith("sip")
        routing = RoutingParameters(
            destination=destination if sip else re.sub(r"\D", "", destination),
            address=destination.partition(":")[2] if sip else None,
            host="27.109.112.140",
            national_dialing=self.national_dialing,
            sip_profile=self.sip_profile,
        )
        return OutboundCall(
            f"child-{destination}", "account", "carrier", sender or "+855715100678", routing, self.billing
        )


@dataclass
class FakePrompts:
    """Speech and audio.

    Attributes:
        catalogue: the voices that there are.
        failing: texts and URLs that cannot be had.
        seconds: how long each takes.

    """

    catalogue: Catalogue = field(default_factory=lambda: Catalogue(polly_voices(VOICES)))
    failing: set[str] = field(default_factory=set)
    seconds: float = 0.0

    def voice(self, name: str, language: str, default: str) -> str:
        return resolve_voice(self.catalogue, name, language, default)

    async def speech(self, voice: str, text: str) -> Prompt:
        await asyncio.sleep(self.seconds)
        if text in self.failing:
            raise SynthesisFailed(f"{voice}: no speech")
        return Speech(voice, text)

    async def audio(self, url: str) -> AudioFile:
        await asyncio.sleep(self.seconds)
        if url in self.failing:
            raise FetchFailed(f"{url}: 404")
        return AudioFile(Path(quote(url, safe="")))


@dataclass
class FakeRecordings:
    """Recordings on their way.

    Attributes:
        directory: where files are.
        seconds: how long a delivery takes.

    """

    directory: Path
    seconds: float = 0.0
    delivered: list[tuple[str, float]] = field(default_factory=list)
    trimmed: list[Path] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    expected: dict[Path, str] = field(default_factory=dict)
    """The sid of each file that is not handed over yet."""

    def new_path(self, call_uuid: str) -> Path:
        self.paths.append(self.directory / f"{call_uuid}-{len(self.paths)}.wav")
        return self.paths[-1]

    async def expect(self, path: Path, recording: RecordingReference) -> None:
        self.expected[path] = recording.sid

    async def deliver(self, path: Path, recording: RecordingReference) -> float | None:
        self.expected.pop(path, None)
        await asyncio.sleep(self.seconds)
        length = wav_levels.seconds(path) if path.exists() else 0.0
        if not length:
            return None
        self.delivered.append((recording.sid, length))
        return length

    async def trim(self, path: Path) -> None:
        await asyncio.sleep(self.seconds)
        self.trimmed.append(path)
        wav_levels.trim(path)


@dataclass
class FakeRoutes:
    """How a call leaves: as the product itself has it, with channels whose names are known.

    Attributes:
        failures: by destination.
        seconds: how long it takes.

    """

    failures: dict[str, Exception] = field(default_factory=dict)
    seconds: float = 0.0

    async def leg(
        self, routing: RoutingParameters, call_sid: str, sender: str, *, account_sid: str, carrier_sid: str
    ) -> Leg:
        await asyncio.sleep(self.seconds)
        if routing.destination in self.failures:
            raise self.failures[routing.destination]
        routes = PlatformRoutes(None, new_uuid=lambda: f"uuid-of-{call_sid}")
        return await routes.leg(routing, call_sid, sender, account_sid=account_sid, carrier_sid=carrier_sid)


@dataclass
class FakeCallDataRecords:
    """Records of legs that were never reached, and of those that died with the media server."""

    noted: list[tuple[str, str, int | None]] = field(default_factory=list)
    lost: list[LostCall] = field(default_factory=list)

    def note_unreached(self, call_sid: str, cause: str, sip_status: int | None) -> None:
        self.noted.append((call_sid, cause, sip_status))

    owed: list[str] = field(default_factory=list)

    async def note_owed(self, call_sids: Sequence[str]) -> None:
        self.owed += call_sids

    def note_lost(self, call: LostCall) -> None:
        self.lost.append(call)


NOT_REGISTERED = PlatformRefused("client is not registered", 404)
