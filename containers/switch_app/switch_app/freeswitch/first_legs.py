"""What is told of first legs: each event once, in order, from whichever connection it comes first."""

from collections.abc import Callable, Mapping

from switch_app.freeswitch.messages import Event
from switch_app.telephony import CallEvent, CallEventKind

_TOLD_VARIABLES = ("sip_term_status", "answer_epoch")


class FirstLegs:
    """The first legs that live.

    Args:
        note: told each event.

    """

    def __init__(self, note: Callable[[CallEvent], None]) -> None:
        self._note = note
        self._told: dict[str, set[CallEventKind]] = {}

    def add(self, uuid: str) -> None:
        """Begin to tell of a leg; nothing happens when it is told of."""
        self._told.setdefault(uuid, set())

    def forget(self, uuid: str) -> None:
        """Tell no more of a leg."""
        self._told.pop(uuid, None)

    def __contains__(self, uuid: str) -> bool:
        return uuid in self._told

    def uuids(self) -> list[str]:
        """Return those that live."""
        return list(self._told)

    def is_answered(self, uuid: str) -> bool:
        """Tell whether a leg is known to be answered."""
        return CallEventKind.ANSWERED in self._told.get(uuid, ())

    def take(self, event: Event) -> None:
        """Take an event of a channel, which may be none of them."""
        if event.uuid not in self._told:
            return
        if event.name in ("CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA"):
            # One that comes in is told by us that it rings.
            if event.headers.get("Call-Direction") == "outbound" and not self.is_answered(event.uuid):
                self._tell(CallEventKind.RINGING, event.uuid, {})
        elif event.name == "CHANNEL_ANSWER":
            self._tell(CallEventKind.ANSWERED, event.uuid, told_of(event))
        elif event.name == "CHANNEL_HANGUP_COMPLETE":
            self.complete(event.uuid, told_of(event))

    def complete(self, uuid: str, variables: Mapping[str, str], *, is_lost: bool = False) -> None:
        """Tell that a leg is gone; it is none of them then. Nothing happens when that was told.

        Args:
            uuid: the leg.
            variables: what is told with it.
            is_lost: whether it died with FreeSWITCH.

        """
        if uuid in self._told:
            self._tell(CallEventKind.COMPLETED, uuid, variables, is_lost=is_lost)
            del self._told[uuid]

    def _tell(self, kind: CallEventKind, uuid: str, variables: Mapping[str, str], *, is_lost: bool = False) -> None:
        if kind not in self._told[uuid]:
            self._told[uuid].add(kind)
            self._note(CallEvent(kind, uuid, variables, is_lost))


def told_of(event: Event) -> Mapping[str, str]:
    """Return the variables that are told with an event; blank ones, and a time that never was, are left out."""
    values = {name: event.variable(name) for name in _TOLD_VARIABLES}
    return {name: value for name, value in values.items() if value and value != "0"}
