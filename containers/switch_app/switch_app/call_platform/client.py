"""The resources of the services API, as the app uses them."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from switch_app.call_platform.api import Api, Repeat
from switch_app.call_properties import BillingParameters, CallProperties, RoutingParameters, text
from switch_app.errors import InvalidRequest, PlatformUnavailable
from switch_app.services import OutboundCall, RecordingReference
from switch_app.telephony import CallEvent

_RECORD_TYPE = "application/x-www-form-base64-encoded"


@dataclass(frozen=True, slots=True)
class InboundCall:
    """A call that comes in, as the platform is asked about it.

    Attributes:
        to, sender: whom and from whom, as the gateway noted it.
        external_id: the channel's uuid.
        host: this switch's address, where the platform finds the call later.
        source_ip: where the gateway had it from.
        region: the region's alias.
        client_identifier: who registered, for a client's call.
        variables: what the platform stores with it.

    """

    to: str
    sender: str
    external_id: str
    host: str
    source_ip: str
    region: str
    client_identifier: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


class PlatformClient:
    """The services API by its resources. Every method raises `PlatformRefused` and `PlatformUnavailable`.

    What makes something at the platform is sent again only when it certainly was not done: nobody is charged twice, and
    no call is made twice.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    async def create_inbound_call(self, call: InboundCall) -> CallProperties:
        """Ask what is to become of a call that comes in."""
        body = {
            "to": call.to,
            "from": call.sender,
            "external_id": call.external_id,
            "host": call.host,
            "source_ip": call.source_ip,
            "region": call.region,
            "client_identifier": call.client_identifier,
            "variables": dict(call.variables),
        }
        answer = await self._api.send("POST", "/inbound_phone_calls", body)
        try:
            return CallProperties.parse(answer)
        except InvalidRequest as error:
            raise PlatformUnavailable(f"POST /inbound_phone_calls was answered wrongly: {error}") from None

    async def create_outbound_calls(
        self, parent_call_sid: str, destinations: Sequence[str], sender: str | None
    ) -> Sequence[OutboundCall]:
        """Have calls made for a Dial, one a destination, in their order."""
        body: dict[str, Any] = {"parent_call_sid": parent_call_sid, "destinations": list(destinations)}
        if sender is not None:
            body["from"] = sender  # the platform takes no null here
        answer = await self._api.send("POST", "/outbound_phone_calls", body)
        try:
            calls = [_outbound_call(call) for call in answer.get("phone_calls") or ()]
        except InvalidRequest as error:
            raise PlatformUnavailable(f"POST /outbound_phone_calls was answered wrongly: {error}") from None
        if len(calls) != len(destinations):
            raise PlatformUnavailable(f"{len(calls)} calls were made for {len(destinations)} destinations")
        return calls

    async def create_recording(
        self, call_sid: str, status_callback_url: str | None, status_callback_method: str | None
    ) -> RecordingReference:
        """Announce a recording."""
        body = {"phone_call_id": call_sid}
        if status_callback_url:
            body["status_callback_url"] = status_callback_url
            if status_callback_method:
                body["status_callback_method"] = status_callback_method
        return _recording(await self._api.send("POST", "/recordings", body))

    async def finish_recording(self, sid: str, raw_recording_url: str, external_id: str) -> RecordingReference:
        """Say where the audio of a recording is; it must be there."""
        body = {"raw_recording_url": raw_recording_url, "external_id": external_id}
        path = f"/recordings/{quote(sid, safe='')}"
        return _recording(await self._api.send("PATCH", path, body, Repeat.HARMLESS))

    async def create_media_stream(
        self, call_sid: str, url: str, tracks: str, custom_parameters: Mapping[str, str]
    ) -> str:
        """Announce a media stream and return its sid.

        Args:
            call_sid: the platform's identifier of the call.
            url: of the WebSocket.
            tracks: `inbound`, `outbound` or `both`.
            custom_parameters: the customer's own, by name.

        """
        body = {
            "phone_call_id": call_sid,
            "url": url,
            "tracks": tracks,
            "custom_parameters": dict(custom_parameters),
        }
        answer = await self._api.send("POST", "/media_streams", body)
        try:
            return text(answer, "sid")
        except InvalidRequest as error:
            raise PlatformUnavailable(f"POST /media_streams was answered wrongly: {error}") from None

    async def note_media_stream_event(self, stream_sid: str, kind: str, details: Mapping[str, Any]) -> None:
        """Tell what happened to a media stream."""
        event: dict[str, Any] = {"type": kind}
        if details:
            event["details"] = dict(details)
        body = {"media_stream_id": stream_sid, "event": event}
        await self._api.send("POST", "/media_stream_events", body, Repeat.HARMLESS)

    async def note_call_event(self, event: CallEvent) -> None:
        """Tell what happened to a call; the platform does not mind being told twice."""
        body: dict[str, Any] = {"type": event.kind.value, "phone_call": event.uuid}
        if event.variables:
            body["variables"] = dict(event.variables)
        await self._api.send("POST", "/phone_call_events", body, Repeat.HARMLESS)

    async def note_speech(self, call_sid: str, voice: str, characters: int) -> None:
        """Tell what is spoken, which is charged."""
        body = {"phone_call": call_sid, "tts_voice": voice, "num_chars": characters}
        await self._api.send("POST", "/tts_events", body)

    async def send_call_heartbeats(self, call_ids: Sequence[str]) -> None:
        """Tell which calls are alive, by their channels' uuids, at least one; the platform ignores those that it does
        not know."""
        await self._api.send("POST", "/call_heartbeats", {"call_ids": list(call_ids)}, Repeat.HARMLESS)

    async def send_call_data_record(self, document: str) -> None:
        """Send a call data record; the platform takes one a uuid.

        Args:
            document: JSON of ASCII characters.

        """
        encoded = base64.b64encode(document.encode("ascii")).decode()
        # Every sign of base64 that means something in a form is escaped: the platform would drop a bare plus.
        escaped = encoded.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
        content = f"cdr={escaped}".encode()
        await self._api.send_content("POST", "/call_data_records", content, _RECORD_TYPE, Repeat.HARMLESS)


def _outbound_call(body: object) -> OutboundCall:
    if not isinstance(body, dict):
        raise InvalidRequest("a call is no JSON object")
    return OutboundCall(
        sid=text(body, "sid"),
        account_sid=text(body, "account_sid"),
        carrier_sid=text(body, "carrier_sid"),
        sender=text(body, "from"),
        routing=RoutingParameters.parse(body.get("routing_parameters")),
        billing=BillingParameters.parse(body.get("billing_parameters")),
    )


def _recording(body: Mapping[str, Any]) -> RecordingReference:
    try:
        return RecordingReference(text(body, "sid"), text(body, "url"))
    except InvalidRequest as error:
        raise PlatformUnavailable(f"a recording was answered wrongly: {error}") from None
