"""The platform as calls see it: what they ask it at once, and what it is told in the background."""

from collections.abc import Sequence
from functools import partial

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

    def note_speech(self, call_sid: str, voice: str, characters: int) -> None:
        """Tell what is spoken, for billing. It returns at once."""
        send = partial(self._client.note_speech, call_sid, voice, characters)
        self._notifier.put(f"speech of {call_sid}", "tts_event", send)

    def note_call_event(self, event: CallEvent) -> None:
        """Tell what happened to a call. It returns at once; events of one call arrive in their order."""
        send = partial(self._client.note_call_event, event)
        self._notifier.put(f"call {event.uuid}", event.kind.value, send)
