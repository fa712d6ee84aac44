"""The time that orders an operator's change among the platform's jobs.

Jobs are ordered by SQS's clock, and an operator's change by this machine's: it must not be ahead, or jobs that the
platform sends next would count as older than the change; nor behind, or the change would count as older than jobs that
were done before it.
"""

from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any, Final

from switch_operator.errors import ClockOff

TOLERANCE_SECONDS: Final = 5.0
"""HTTP's Date has whole seconds, and an answer takes its time."""

_HALF_A_SECOND: Final = 0.5
"""What is cut off a Date, in the mean."""


class ServerTime:
    """Compares this machine's clock with AWS's, by the answers that a client gets.

    Args:
        client: a boto3 client whose answers are looked at.
        clock: seconds since the epoch, this machine's.

    """

    def __init__(self, client: Any, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ahead: float | None = None
        client.meta.events.register(f"after-call.{client.meta.service_model.service_name}", self._compare)

    def _compare(self, parsed: dict[str, Any], **_: object) -> None:
        date = parsed.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        if date:
            self._ahead = self._clock() - parsedate_to_datetime(date).timestamp() - _HALF_A_SECOND

    def milliseconds(self) -> int:
        """Return the time, milliseconds since the epoch.

        Raises:
            ClockOff: when this machine's clock differs from AWS's by more than the tolerance.

        """
        if self._ahead is None:
            raise ClockOff("AWS's clock is not known: no answer of it had a date; nothing was changed")
        if abs(self._ahead) > TOLERANCE_SECONDS:
            direction = "ahead of" if self._ahead > 0 else "behind"
            raise ClockOff(
                f"this machine's clock is {abs(self._ahead):.0f} seconds {direction} AWS's, so the change would be "
                "ordered wrongly among the platform's jobs; set the clock, then try again; nothing was changed"
            )
        return round(self._clock() * 1000)
