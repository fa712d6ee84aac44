"""The resources of the call platform's services API: what each takes, keeps and answers. It knows no HTTP server."""

import base64
import binascii
import json
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from tests.fakes import call_platform_rules as rules

_NOW = "2026-04-29T07:00:00Z"
_CDR_TYPE = "application/x-www-form-base64-encoded"

Answer = tuple[int, Any]
"""A status, and what is answered as JSON; None for an empty body."""


@dataclass(frozen=True)
class Request:
    """A request that came, whatever it was answered with; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    content: bytes = b""


@dataclass
class PlatformCall:
    """A call as the platform knows it."""

    sid: str
    external_id: str | None = None
    events: list[str] = field(default_factory=list)


def refused(message: str) -> Answer:
    """Return the answer to a request that breaks a rule."""
    return HTTPStatus.UNPROCESSABLE_ENTITY, {"message": message}


class PlatformResources:
    """What the platform knows, and what becomes of it.

    Attributes:
        numbers: what is answered for an inbound call to a number, over the usual; a number that is not in it does not
            exist, unless there is none at all.
        every_number: what is answered for an inbound call to any number, over the usual.
        routing: what the calls for a Dial are routed by, over the usual.
        voices: those that it knows.

    """

    def __init__(self) -> None:
        self.numbers: dict[str, dict[str, Any]] = {}
        self.every_number: dict[str, Any] = {}
        self.routing: dict[str, Any] = {}
        self.voices = ("Basic.Kal", "Basic.Slt", "Polly.Joanna", "Polly.Joanna-Neural", "Polly.Lotte-Neural")
        self.capacities: list[tuple[str, int]] = []
        """Region alias and capacity, as they were told."""
        self.calls: dict[str, PlatformCall] = {}
        """By sid."""
        self.inbound_calls: list[dict[str, Any]] = []
        """What was told of them."""
        self.outbound_calls: list[dict[str, Any]] = []
        """Calls made for a Dial, as they were answered."""
        self.call_events: list[dict[str, Any]] = []
        self.tts_events: list[dict[str, Any]] = []
        self.recordings: dict[str, dict[str, Any]] = {}
        """What was told of each, by sid: the announcement, and `raw_recording_url` once that is known."""
        self.media_streams: dict[str, dict[str, Any]] = {}
        self.media_stream_events: list[dict[str, Any]] = []
        self.heartbeats: list[list[str]] = []
        self.call_data_records: list[dict[str, Any]] = []
        """Those that count (`record_cdr`), decoded as the platform does; one a uuid."""

    def add_call(self, sid: str, external_id: str | None = None) -> PlatformCall:
        """Have a call that the platform made itself."""
        call = self.calls[sid] = PlatformCall(sid, external_id)
        return call

    def route(self, request: Request) -> Answer:
        """Return what a request deserves whose credentials are right."""
        path = request.path.partition("?")[0]
        routes = {
            ("POST", "/call_service_capacities"): self._update_capacity,
            ("POST", "/inbound_phone_calls"): self._create_inbound_call,
            ("POST", "/outbound_phone_calls"): self._create_outbound_calls,
            ("POST", "/phone_call_events"): self._note_call_event,
            ("POST", "/tts_events"): self._note_tts_event,
            ("POST", "/recordings"): self._create_recording,
            ("POST", "/media_streams"): self._create_media_stream,
            ("POST", "/media_stream_events"): self._note_media_stream_event,
            ("POST", "/call_heartbeats"): self._note_heartbeat,
        }
        if (request.method, path) == ("POST", "/call_data_records"):
            return self._take_call_data_record(request)
        # The platform reads parameters from a body that says what it is, and from nothing else.
        kind = request.headers.get("content-type", "").partition(";")[0]
        body = request.body if kind == "application/json" and isinstance(request.body, dict) else {}
        if request.method == "PATCH" and path.startswith("/recordings/"):
            return self._update_recording(path.removeprefix("/recordings/"), body)
        handle = routes.get((request.method, path))
        return (HTTPStatus.NOT_FOUND, {"error": "no such resource"}) if handle is None else handle(body)

    def _update_capacity(self, body: dict[str, Any]) -> Answer:
        if problem := rules.problems(body, {"region": rules.string, "capacity": rules.count}):
            return refused(problem)
        self.capacities.append((body["region"], body["capacity"]))
        return HTTPStatus.OK, {}

    def _create_inbound_call(self, body: dict[str, Any]) -> Answer:
        required = {
            "to": rules.number,
            "from": rules.number,
            "external_id": rules.string,
            "host": rules.address,
            "source_ip": rules.address,
            "region": rules.one_of(*rules.REGIONS),
        }
        optional = {"client_identifier": rules.nullable_string, "variables": rules.nullable_object}
        if problem := rules.problems(body, required, optional):
            return refused(problem)
        to = rules.digits(body["to"])
        if self.numbers and to not in self.numbers:
            return refused(f"Phone number {to} does not exist.")
        if not rules.is_international(body["from"]):
            return refused(
                "from is invalid. It must be an E.164 formatted phone number and must include the country code"
            )
        if any(call.external_id == body["external_id"] for call in self.calls.values()):
            return refused("external_id has already been taken")
        call = self.add_call(str(uuid.uuid4()), body["external_id"])
        self.inbound_calls.append(body)
        usual = {
            "created_at": _NOW,
            "updated_at": _NOW,
            "voice_url": "https://app.example.com/voice.xml",
            "voice_method": "POST",
            "status_callback_url": None,
            "status_callback_method": None,
            "twiml": None,
            "to": to,
            "from": body["from"],
            "sid": call.sid,
            "carrier_sid": "2f0f6ad0-1f38-4d55-8e0e-7f2d0a0fd0c1",
            "account_sid": "9e2ec5f6-7a77-4f5c-a2ad-d0a80a6b4d0f",
            "account_auth_token": "auth-token",
            "call_direction": "inbound",
            "direction": "inbound",
            "api_version": "2010-04-01",
            "default_tts_voice": "Basic.Kal",
            "billing_parameters": {"enabled": False, "category": "inbound_calls", "billing_mode": "prepaid"},
        }
        return HTTPStatus.CREATED, {**usual, **self.every_number, **self.numbers.get(to, {})}

    def _create_outbound_calls(self, body: dict[str, Any]) -> Answer:
        required = {"parent_call_sid": rules.string, "destinations": rules.strings}
        if problem := rules.problems(body, required, {"from": rules.string}):
            return refused(problem)
        if body["parent_call_sid"] not in self.calls:
            return refused("parent_call_sid is invalid")
        for destination in body["destinations"]:
            if not destination.startswith("sip:") and not rules.is_international(destination):
                return refused(f"{destination} is invalid")
        made = [self._outbound_call(body, destination) for destination in body["destinations"]]
        self.outbound_calls += made
        return HTTPStatus.CREATED, {"phone_calls": made}

    def _outbound_call(self, body: dict[str, Any], destination: str) -> dict[str, Any]:
        is_sip = destination.startswith("sip:")
        routing = {
            "address": destination.removeprefix("sip:") if is_sip else None,
            "destination": destination if is_sip else rules.digits(destination),
            "dial_string_prefix": None,
            "plus_prefix": False,
            "national_dialing": False,
            "host": "27.109.112.140",
            "username": None,
            "sip_profile": "nat_gateway",
        }
        return {
            "created_at": _NOW,
            "updated_at": _NOW,
            "sid": self.add_call(str(uuid.uuid4())).sid,
            "account_sid": "9e2ec5f6-7a77-4f5c-a2ad-d0a80a6b4d0f",
            "carrier_sid": "2f0f6ad0-1f38-4d55-8e0e-7f2d0a0fd0c1",
            "parent_call_sid": body["parent_call_sid"],
            "from": body.get("from", "+855715100678"),
            "direction": "outbound-dial",
            "call_direction": "outbound",
            "routing_parameters": {**routing, **self.routing},
            "billing_parameters": {"enabled": False, "category": "outbound_calls", "billing_mode": "prepaid"},
        }

    def _note_call_event(self, body: dict[str, Any]) -> Answer:
        required = {"type": rules.one_of(*rules.CALL_EVENTS), "phone_call": rules.string}
        if problem := rules.problems(body, required, {"variables": rules.json_object}):
            return refused(problem)
        self.call_events.append(body)
        for call in self.calls.values():
            if call.external_id == body["phone_call"]:
                call.events.append(body["type"])
        return HTTPStatus.CREATED, None

    def _note_tts_event(self, body: dict[str, Any]) -> Answer:
        voice = rules.one_of(*self.voices)
        required = {"phone_call": rules.string, "tts_voice": voice, "num_chars": rules.count}
        if problem := rules.problems(body, required):
            return refused(problem)
        if body["phone_call"] not in self.calls:
            return HTTPStatus.NOT_FOUND, None
        self.tts_events.append(body)
        return HTTPStatus.CREATED, None

    def _create_recording(self, body: dict[str, Any]) -> Answer:
        optional = {
            "status_callback_url": rules.public_url("http", "https"),
            "status_callback_method": rules.method,
        }
        if problem := rules.problems(body, {"phone_call_id": rules.string}, optional):
            return refused(problem)
        if body["phone_call_id"] not in self.calls:
            return HTTPStatus.NOT_FOUND, None
        sid = str(uuid.uuid4())
        self.recordings[sid] = dict(body)
        return HTTPStatus.CREATED, self._recording(sid)

    def _update_recording(self, sid: str, body: dict[str, Any]) -> Answer:
        if sid not in self.recordings:
            return HTTPStatus.NOT_FOUND, None
        required = {"raw_recording_url": rules.public_url("https"), "external_id": rules.string}
        if problem := rules.problems(body, required):
            return refused(problem)
        self.recordings[sid].update(body)
        return HTTPStatus.OK, self._recording(sid)

    def _recording(self, sid: str) -> dict[str, Any]:
        call_sid = self.recordings[sid]["phone_call_id"]
        url = f"https://api.somleng.org/2010-04-01/Accounts/account-sid/Calls/{call_sid}/Recordings/{sid}"
        return {"created_at": _NOW, "updated_at": _NOW, "sid": sid, "duration": None, "url": url}

    def _create_media_stream(self, body: dict[str, Any]) -> Answer:
        required = {
            "phone_call_id": rules.string,
            "url": rules.string,
            "tracks": rules.one_of("inbound", "outbound", "both"),
        }
        if problem := rules.problems(body, required, {"custom_parameters": rules.nullable_object}):
            return refused(problem)
        if body["phone_call_id"] not in self.calls:
            return refused("phone_call_id does not exist")
        sid = str(uuid.uuid4())
        self.media_streams[sid] = body
        return HTTPStatus.CREATED, {"created_at": _NOW, "updated_at": _NOW, "sid": sid, "url": body["url"]}

    def _note_media_stream_event(self, body: dict[str, Any]) -> Answer:
        if problem := rules.problems(body, {"media_stream_id": rules.string, "event": rules.json_object}):
            return refused(problem)
        if problem := rules.problems(body["event"], {"type": rules.string}, {"details": rules.json_object}):
            return refused(problem)
        if body["media_stream_id"] not in self.media_streams:
            return refused("media_stream_id does not exist")
        self.media_stream_events.append(body)
        return HTTPStatus.CREATED, None

    def _note_heartbeat(self, body: dict[str, Any]) -> Answer:
        if problem := rules.problems(body, {"call_ids": rules.strings}):
            return refused(problem)
        self.heartbeats.append(body["call_ids"])
        return HTTPStatus.NO_CONTENT, None

    def _take_call_data_record(self, request: Request) -> Answer:
        """Take a record as the platform does, which answers 204 whatever comes of it; a wrong type shows here."""
        if request.headers.get("content-type") != _CDR_TYPE:
            return HTTPStatus.UNSUPPORTED_MEDIA_TYPE, {"error": f"the type is not {_CDR_TYPE}"}
        encoded = parse_qs(request.content.decode("latin-1"), keep_blank_values=True).get("cdr", [""])[0]
        document = decode_record(encoded)
        if document is None:
            return refused("cdr cannot be read")
        variables = document.get("variables", {})
        known = {record["variables"]["uuid"] for record in self.call_data_records}
        if "record_cdr" in variables and variables["uuid"] not in known:
            self.call_data_records.append(document)
        return HTTPStatus.NO_CONTENT, None


def decode_record(encoded: str) -> Any:
    """Return a call data record decoded as the platform does: base64 without regard to what does not belong there,
    `:nan` made null, JSON. None when there is no reading it."""
    # Ruby's unpack("m") skips what is not in the alphabet, and ends at the first padding.
    try:
        text = base64.b64decode(encoded.encode("latin-1", errors="replace"), validate=False).decode()
        return json.loads(text.replace(":nan", ":null"))
    except (binascii.Error, ValueError):
        return None
