"""The seam to the media server as a whole: calls that begin, and what is told of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from switch_app.call import Call, Leg


class CallEventKind(StrEnum):
    """What happened to a first leg. The values are the platform's names."""

    RINGING = "ringing"
    ANSWERED = "answered"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class CallEvent:
    """Something that happened to a first leg.

    Attributes:
        kind: what.
        uuid: of which channel.
        variables: what the platform stores with it: `sip_term_status`, `answer_epoch`; blank ones left out.
        is_lost: whether it completed because the media server died, which so wrote no record of it.

    """

    kind: CallEventKind
    uuid: str
    variables: Mapping[str, str]
    is_lost: bool = False


class CallHandler(Protocol):
    """What the media server's side hands its calls and events to."""

    async def handle(self, call: Call) -> None:
        """Run a call from here on: an inbound one that has just come, or an originated one that was just answered. The
        call is hung up when this returns or raises."""
        ...

    def note(self, event: CallEvent) -> None:
        """Take notice of an event. It returns at once; events of one call come in their order."""
        ...


class Telephony(Protocol):
    """A media server."""

    async def originate(self, leg: Leg, timeout: int) -> None:
        """Begin to ring somebody; return once the leg exists. When it is answered, the handler gets the call.

        Args:
            leg: whom.
            timeout: seconds of ringing.

        Raises:
            MediaServerError: when no leg could be made.

        """
        ...

    async def hangup(self, uuid: str, cause: str = "NORMAL_CLEARING") -> bool:
        """End a channel, answered or not; tell whether there was one."""
        ...

    async def wait_until_ready(self) -> None:
        """Return when it has been reached; what an earlier process left there is being ended then."""
        ...

    async def has_channel(self, uuid: str) -> bool:
        """Whether there is a channel whose call data record is still to be written.

        Raises:
            MediaServerError: when nobody can tell.

        """
        ...

    async def check(self) -> None:
        """Return when it takes calls.

        Raises:
            MediaServerError: saying why it does not.

        """
        ...

    async def refuse_new_calls(self) -> None:
        """Take no new call from here on; those there are go on."""
        ...
