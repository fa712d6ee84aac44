"""Follows calls from what processes log and gateways list: at a gateway, on a switch, in a verb, over. Pure.

A gateway names a call by its SIP Call-ID, a switch by its channel; the line by which FreeSWITCH hands a call over has
both. Lines of different processes come in any order: what has ended stays so.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from local.live.log_lines import LogLine
from local.live.rows import Call

_ENDED_MAXIMUM: Final = 40
_LIVE_MAXIMUM: Final = 200
_VERBS_MAXIMUM: Final = 6
_GONE_MILLISECONDS: Final = 3_000
"""A call that its gateway has no dialog of any more for so long is over; the switch usually says so first, and why. A
dialog may be missing once from a list that is read in parts."""

_ENDS: Final[Mapping[str, str]] = {
    "call ended": "",
    "call ended early": "",
    "call is ended by its document": "DOCUMENT_ERROR",
    "call refused by the platform": "REFUSED",
    "call refused: no platform": "NO_PLATFORM",
    "call refused: it came through no gateway": "NO_GATEWAY",
    "call cannot be made": "NO_ROUTE",
    "call cannot go on": "FAILED",
    "call failed": "FAILED",
    "call is lost with the media server": "LOST",
    "call is lost with FreeSWITCH": "LOST",
}
"""Messages of the switch app by which a call is over, and the cause of those that name none."""


@dataclass(frozen=True, slots=True)
class Dialog:
    """A dialog that a gateway lists.

    Attributes:
        call_id: SIP Call-ID.
        address: `host:port` of the side that answered, or empty.
        is_answered: whether anybody has.

    """

    call_id: str
    address: str
    is_answered: bool


@dataclass(slots=True, eq=False)
class _Tracked:
    id: str
    began: int
    since: int
    call_id: str = ""
    sid: str = ""
    uuid: str = ""
    parent: str = ""
    direction: str = ""
    gateway: str = ""
    switch: str = ""
    stage: str = "gateway"
    verbs: tuple[str, ...] = ()
    is_answered: bool = False
    cause: str = ""
    status: int | None = None
    gone_at: int | None = None
    is_driven: bool = False
    """Whether the app has it: then it is a call of its own, whatever it is joined with."""

    def row(self) -> Call:
        return Call(
            self.id,
            self.sid,
            self.uuid,
            self.parent,
            self.direction,
            self.gateway,
            self.switch,
            self.stage,
            self.verbs[-1] if self.verbs else "",
            self.verbs,
            self.is_answered,
            self.began,
            self.since,
            self.cause,
            self.status,
        )


class Calls:
    """The calls there are, and those that ended last.

    Args:
        switch_at: returns the name of the switch at an IP address; empty for none.

    """

    def __init__(self, switch_at: Callable[[str], str]) -> None:
        self._switch_at = switch_at
        self._numbers = itertools.count(1)
        self._calls: dict[str, _Tracked] = {}
        self._by_uuid: dict[str, _Tracked] = {}
        self._by_call_id: dict[str, _Tracked] = {}

    def rows(self) -> dict[str, Call]:
        """Return them by their identifiers."""
        return {call.id: call.row() for call in self._calls.values()}

    # --- what is read

    def take(self, line: LogLine, switch: str) -> None:
        """Take a line of a switch: of its app or its event logger."""
        if line.message == "started" and line.place == "switch_app.application":
            self._end_all(switch, line.at)
        uuid = line.text("call_uuid")
        if not uuid:
            return
        call = self._call(uuid, line.text("sip_call_id"), line.at)
        call.sid = line.text("call_sid") or call.sid
        call.direction = line.text("direction") or call.direction
        call.switch = switch or call.switch
        if line.message != "event":
            call.is_driven, call.parent = True, ""
        if call.stage == "gateway":
            call.stage, call.since = "switch", line.at
        match line.message:
            case "verb begins" if call.stage != "ended":
                call.stage, call.since = "verb", line.at
                call.verbs = (*call.verbs, line.text("verb"))[-_VERBS_MAXIMUM:]
            case "call originated":
                call.direction = "outbound"
            case "event":
                self._take_event(call, line)
            case message if message in _ENDS:
                self._end(call, line.at, line.text("cause") or _ENDS[message])
        self._forget()

    def take_dialogs(self, gateway: str, dialogs: Sequence[Dialog], now: int) -> None:
        """Take what a gateway lists; `now` in milliseconds since the epoch."""
        listed = {dialog.call_id: dialog for dialog in dialogs}
        for dialog in listed.values():
            call = self._by_call_id.get(dialog.call_id)
            if call is None:
                call = self._add(now)
                call.call_id = dialog.call_id
                self._by_call_id[dialog.call_id] = call
            call.gateway, call.gone_at = gateway, None
            call.is_answered = call.is_answered or dialog.is_answered
            if not call.switch and (switch := self._switch_at(dialog.address.rpartition(":")[0])):
                call.switch = switch
        for call in self._calls.values():
            if call.gateway != gateway or call.stage == "ended" or not call.call_id or call.call_id in listed:
                continue
            call.gone_at = call.gone_at or now
            if now - call.gone_at >= _GONE_MILLISECONDS:
                self._end(call, now, "")
        self._forget()

    # --- within

    def _take_event(self, call: _Tracked, line: LogLine) -> None:
        if not call.is_driven and call.direction == "outbound":
            call.parent = line.text("other_uuid") or call.parent
        match line.text("event"):
            case "CHANNEL_ANSWER":
                call.is_answered = True
            case "CHANNEL_HANGUP_COMPLETE":
                call.status = line.number("sip_status") or call.status
                self._end(call, line.at, line.text("hangup_cause"))

    def _call(self, uuid: str, call_id: str, at: int) -> _Tracked:
        call = self._by_uuid.get(uuid)
        at_gateway = self._by_call_id.get(call_id) if call_id else None
        if call is None:
            # A Call-ID that had a channel before is that of another call, or of another try of the same.
            call = at_gateway if at_gateway is not None and not at_gateway.uuid else self._add(at)
            call.uuid = uuid
            self._by_uuid[uuid] = call
        elif at_gateway is not None and at_gateway is not call and not at_gateway.uuid:
            # The gateway listed it before the switch said which Call-ID it has.
            call.gateway, call.began = at_gateway.gateway, min(call.began, at_gateway.began)
            self._drop(at_gateway)
        if call_id:
            call.call_id = call_id
            self._by_call_id[call_id] = call
        return call

    def _add(self, at: int) -> _Tracked:
        call = _Tracked(f"c{next(self._numbers)}", at, at)
        self._calls[call.id] = call
        return call

    def _end(self, call: _Tracked, at: int, cause: str) -> None:
        if call.stage != "ended":
            call.stage, call.since = "ended", at
        call.cause = cause or call.cause

    def _end_all(self, switch: str, at: int) -> None:
        """An app that starts has no calls: those of the one before it are over."""
        for call in self._calls.values():
            if call.switch == switch and call.stage != "ended":
                self._end(call, at, "LOST")

    def _forget(self) -> None:
        ended = [call for call in self._calls.values() if call.stage == "ended"]
        live = [call for call in self._calls.values() if call.stage != "ended"]
        for calls, maximum in ((ended, _ENDED_MAXIMUM), (live, _LIVE_MAXIMUM)):
            calls.sort(key=lambda call: call.since)
            for call in calls[: max(len(calls) - maximum, 0)]:
                self._drop(call)

    def _drop(self, call: _Tracked) -> None:
        self._calls.pop(call.id, None)
        if self._by_uuid.get(call.uuid) is call:
            del self._by_uuid[call.uuid]
        if self._by_call_id.get(call.call_id) is call:
            del self._by_call_id[call.call_id]
