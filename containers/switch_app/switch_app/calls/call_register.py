"""The seam to the platform as far as it keeps the register of calls. Calls know this, and no HTTP behind it."""

from typing import Protocol

from switch_app.call_platform.client import InboundCall
from switch_app.call_properties import CallProperties
from switch_app.telephony import CallEvent


class CallRegister(Protocol):
    """Where the platform's calls are kept."""

    async def create_inbound_call(self, call: InboundCall) -> CallProperties:
        """Tell of a call that has come, and return what is to be done with it.

        Raises:
            PlatformRefused: when it is not to be taken.
            PlatformUnavailable: when the platform does not say.

        """
        ...

    def note_call_event(self, event: CallEvent) -> None:
        """Tell what happened to a call: later, in the order of these calls, and as often as it takes. It returns at
        once."""
        ...
