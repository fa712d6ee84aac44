"""What is logged of an event: who and why, never whom they called. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from switch_app.freeswitch.messages import Event

_CALL_SID: Final = ("sip_rh_X-Somleng-CallSid", "sip_h_X-Somleng-CallSid")

_HEADERS: Final[Mapping[str, str]] = {
    "call_uuid": "Unique-ID",
    "other_uuid": "Other-Leg-Unique-ID",
    "direction": "Call-Direction",
    "state": "Channel-State",
    "answer_state": "Answer-State",
    "hangup_cause": "Hangup-Cause",
}
_VARIABLES: Final[Mapping[str, str]] = {
    "sip_status": "sip_term_status",
    "duration": "duration",
    "billed_seconds": "billsec",
}


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """How FreeSWITCH is, as it says itself.

    Attributes:
        sessions: channels that there are.
        maximum: channels that there may be.
        idle_cpu: percent of the machine's processors that nobody uses.

    """

    sessions: int
    maximum: int
    idle_cpu: float


def line_of(event: Event) -> Mapping[str, Any]:
    """Return what is logged of an event; what it does not have is left out."""
    line: dict[str, Any] = {"event": event.name}
    line |= {key: event.headers[header] for key, header in _HEADERS.items() if event.headers.get(header)}
    line |= {key: event.variable(name) for key, name in _VARIABLES.items() if event.variable(name)}
    for name in _CALL_SID:
        if event.variable(name):
            line["call_sid"] = event.variable(name)
            break
    return line


def heartbeat_of(event: Event) -> Heartbeat | None:
    """Return what a HEARTBEAT says; None when it does not say it."""
    try:
        idle_cpu = float(event.headers["Idle-CPU"])
        sessions, maximum = int(event.headers["Session-Count"]), int(event.headers["Max-Sessions"])
    except (KeyError, ValueError):
        return None
    return Heartbeat(sessions, maximum, idle_cpu) if math.isfinite(idle_cpu) else None
