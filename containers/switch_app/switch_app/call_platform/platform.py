"""The platform as calls see it: what they ask it at once, and what it is told in the background."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from switch_app.call_platform.client import InboundCall, PlatformClient
from switch_app.call_platform.notifier import Notifier
from switch_app.call_properties import CallProperties
from switch_app.services import OutboundCall, RecordingReference
from switch_app.telephony import CallEvent


class CallPlatform:
    """The services API for calls.

    Args:
        client: what asks.
        notifier: what tells; whoever made it starts and closes it.

    """

    def __init__(self, client: PlatformClient, notifier: Notifier) -> None:
        self._client, self._notifier = client, notifier

    async def create_inbound_call(self, call: InboundCall) -> CallProperties:
        """Ask what is to become of a call that comes in.

        Raises:
            PlatformRefused, PlatformUnavailable: when nothing is.

        """
        return await self._client.create_inbound_call(call)

    async def create_outbound_calls(
        self, parent_call_sid: str, destinations: Sequence[str], sender: str | None
    ) -> Sequence[OutboundCall]:
        """Have calls made for a Dial, one a destination, in their order.

        Raises:
            PlatformRefused, PlatformUnavailable: when there are none.

        """
        return await self._client.create_outbound_calls(parent_call_sid, destinations, sender)

    async def create_recording(
        self, call_sid: str, status_callback_url: str | None, status_callback_method: str | None
    ) -> RecordingReference:
        """Announce a recording.

        Raises:
            PlatformRefused, PlatformUnavailable: when there is none.

        """
        return await self._client.create_recording(call_sid, status_callback_url, status_callback_method)

    async def create_media_stream(
        self, call_sid: str, url: str, tracks: str, custom_parameters: Mapping[str, str]
    ) -> str:
        """Announce a media stream and return its sid.

        Raises:
            PlatformRefused, PlatformUnavailable: when there is none.

        """
        return await self._client.create_media_stream(call_sid, url, tracks, custom_parameters)

    def note_media_stream_event(self, stream_sid: str, kind: str, details: Mapping[str, Any]) -> None:
        """Tell what happened to a media stream. It returns at once; events of one stream arrive in their order."""
        send = partial(self._client.note_media_stream_event, stream_sid, kind, details)
        self._notifier.put(f"media stream {stream_sid}", kind, send)

    def note_speech(self, call_sid: str, voice: str, characters: int) -> None:
        """Tell what is spoken, for billing. It returns at once."""
        send = partial(self._client.note_speech, call_sid, voice, characters)
        self._notifier.put(f"speech of {call_sid}", "tts_event", send)

    def note_call_event(self, event: CallEvent) -> None:
        """Tell what happened to a call. It returns at once; events of one call arrive in their order."""
        send = partial(self._client.note_call_event, event)
        self._notifier.put(f"call {event.uuid}", event.kind.value, send)
