"""Dialled legs: what happened to each, gathered from the events of its channel."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from switch_app.call import LegResult
from switch_app.freeswitch.messages import Event

_ANSWERED_STATUS: Final = 200


def _ask_nothing(began: int, answered: int | None) -> None:
    """Take no notice of a leg that is lost."""


@dataclass(slots=True)
class DialledLeg:
    """A leg that is dialled.

    Attributes:
        uuid: its channel.
        core: identifier of the FreeSWITCH that was told to ring it.
        lost: told that it died with FreeSWITCH: when it was made and answered, in seconds since the epoch.
        created: whether there has been a channel.
        answered, bridged: set when it was.
        completed: set when it is gone.
        began: when there was a channel, in seconds since the epoch.
        answered_at: when it was answered, likewise; None when it was not.
        is_told: whether FreeSWITCH told of its end, and so wrote its call data record.
        seconds: between its answer and its end.

    """

    uuid: str
    core: str = ""
    lost: Callable[[int, int | None], None] = _ask_nothing
    created: bool = False
    began: int = 0
    answered_at: int | None = None
    is_told: bool = False
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    bridged: asyncio.Event = field(default_factory=asyncio.Event)
    completed: asyncio.Event = field(default_factory=asyncio.Event)
    seconds: int = 0
    _cause: str = "NORMAL_TEMPORARY_FAILURE"
    _sip_status: int | None = None

    def take(self, event: Event) -> None:
        """Take an event of its channel."""
        if not self.created:
            self.created, self.began = True, _seconds_of(event)
        if event.name == "CHANNEL_ANSWER":
            self.answered_at = _seconds_of(event)
            self.answered.set()
        elif event.name == "CHANNEL_BRIDGE":
            self.bridged.set()
        elif event.name == "CHANNEL_HANGUP_COMPLETE":
            self._cause = event.headers.get("Hangup-Cause") or self._cause
            billed = event.variable("billsec")
            self.seconds = int(billed) if billed.isdigit() else 0
            self._sip_status = self._status(event)
            self.is_told = True
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
    """The dialled legs that are watched, by their channel.

    Args:
        account: given each leg that there was and whose end was never told, once its dial is over.

    Attributes:
        core: identifier of the FreeSWITCH that rings them.

    """

    def __init__(self, account: Callable[[DialledLeg], None]) -> None:
        self._account = account
        self._legs: dict[str, DialledLeg] = {}
        self.core = ""

    def watch(self, uuid: str, lost: Callable[[int, int | None], None] = _ask_nothing) -> DialledLeg:
        """Begin to gather the events of a channel that is to come.

        Args:
            uuid: the channel.
            lost: see DialledLeg.

        """
        leg = DialledLeg(uuid, self.core, lost)
        self._legs[uuid] = leg
        return leg

    def forget(self, leg: DialledLeg) -> None:
        """Stop that."""
        if self._legs.pop(leg.uuid, None) is not None and leg.created and not leg.is_told:
            self._account(leg)

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


def _seconds_of(event: Event) -> int:
    """Return when an event happened, in seconds since the epoch; FreeSWITCH tells microseconds."""
    told = event.headers.get("Event-Date-Timestamp", "")
    return int(told) // 1_000_000 if told.isdigit() else 0
