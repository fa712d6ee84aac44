"""Dialled legs: what happened to each, gathered from the events of its channel."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from switch_app.call import LegResult
from switch_app.freeswitch.messages import Event

_ANSWERED_STATUS: Final = 200


@dataclass(slots=True)
class DialledLeg:
    """A leg that is dialled.

    Attributes:
        uuid: its channel.
        created: whether there has been a channel.
        answered, bridged: set when it was.
        completed: set when it is gone.
        seconds: between its answer and its end.

    """

    uuid: str
    created: bool = False
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    bridged: asyncio.Event = field(default_factory=asyncio.Event)
    completed: asyncio.Event = field(default_factory=asyncio.Event)
    seconds: int = 0
    _cause: str = "NORMAL_TEMPORARY_FAILURE"
    _sip_status: int | None = None

    def take(self, event: Event) -> None:
        """Take an event of its channel."""
        self.created = True
        if event.name == "CHANNEL_ANSWER":
            self.answered.set()
        elif event.name == "CHANNEL_BRIDGE":
            self.bridged.set()
        elif event.name == "CHANNEL_HANGUP_COMPLETE":
            self._cause = event.headers.get("Hangup-Cause") or self._cause
            billed = event.variable("billsec")
            self.seconds = int(billed) if billed.isdigit() else 0
            self._sip_status = self._status(event)
            self.completed.set()

    def result(self) -> LegResult:
        """Return how it ended."""
        return LegResult(self.created, self._cause, self._sip_status)

    def _status(self, event: Event) -> int | None:
        if self.answered.is_set():
            return _ANSWERED_STATUS
        # The record of a leg that we called off says what the platform needs; the callee said nothing.
        if event.variable("sip_hangup_disposition") != "recv_refuse":
            return None
        status = event.variable("sip_invite_failure_status") or event.variable("sip_term_status")
        return int(status) if status.isdigit() else None


class DialledLegs:
    """The dialled legs that are watched, by their channel."""

    def __init__(self) -> None:
        self._legs: dict[str, DialledLeg] = {}

    def watch(self, uuid: str) -> DialledLeg:
        """Begin to gather the events of a channel that is to come."""
        leg = DialledLeg(uuid)
        self._legs[uuid] = leg
        return leg

    def forget(self, leg: DialledLeg) -> None:
        """Stop that."""
        self._legs.pop(leg.uuid, None)

    def take(self, event: Event) -> None:
        """Take an event of a channel, which may be none of them."""
        # The event of a bridge is the first leg's and names the other one.
        if event.name == "CHANNEL_BRIDGE":
            leg = self._legs.get(
                event.headers.get("Bridge-B-Unique-ID") or event.headers.get("Other-Leg-Unique-ID", "")
            )
        else:
            leg = self._legs.get(event.uuid)
        if leg is not None:
            leg.take(event)

    def lose(self) -> None:
        """Take notice that FreeSWITCH is gone, and every leg with it."""
        for leg in self._legs.values():
            leg.completed.set()
