"""What a `<Dial>` tells of its end: `DialCallStatus`."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from switch_app.call import DialResult, LegResult


class DialStatus(StrEnum):
    """The values that Twilio documents."""

    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    FAILED = "failed"
    CANCELED = "canceled"


_BUSY: Final = frozenset({486, 600})
_NO_ANSWER: Final = frozenset({408, 480, 487, 603})
"""As the platform counts them for a call of its own, where a callee who declines has not answered."""

_BUSY_CAUSES: Final = frozenset({"USER_BUSY"})
_NO_ANSWER_CAUSES: Final = frozenset(
    {
        "NO_ANSWER",
        "NO_USER_RESPONSE",
        "ORIGINATOR_CANCEL",
        "ALLOTTED_TIMEOUT",
        "CALL_REJECTED",
        "LOSE_RACE",
        "NORMAL_CLEARING",
        "PROGRESS_TIMEOUT",
        "USER_NOT_REGISTERED",
    }
)


def status_of(result: DialResult) -> DialStatus:
    """Return the status of a dial. Of several legs that nobody took, one that rang says most, then one that is busy."""
    if result.joined is not None:
        return DialStatus.COMPLETED
    if result.hung_up:
        return DialStatus.CANCELED
    statuses = set(_statuses(result.legs))
    for status in (DialStatus.NO_ANSWER, DialStatus.BUSY):
        if status in statuses:
            return status
    return DialStatus.FAILED


def _statuses(legs: Iterable[LegResult]) -> Iterable[DialStatus]:
    for leg in legs:
        if not leg.reached:
            yield DialStatus.FAILED
        elif leg.sip_status in _BUSY or (leg.sip_status is None and leg.cause in _BUSY_CAUSES):
            yield DialStatus.BUSY
        elif leg.sip_status in _NO_ANSWER or (leg.sip_status is None and leg.cause in _NO_ANSWER_CAUSES):
            yield DialStatus.NO_ANSWER
        else:
            yield DialStatus.FAILED
