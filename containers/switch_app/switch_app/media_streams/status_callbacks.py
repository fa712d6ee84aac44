"""What a customer's server is told of a media stream (`statusCallback`), as Twilio tells it.

https://www.twilio.com/docs/voice/twiml/stream#statuscallback
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from switch_app.errors import FetchFailed
from switch_app.media_streams.messages import StreamIdentity
from switch_app.services import Documents, StreamRequest

logger = logging.getLogger(__name__)

STARTED: Final = "stream-started"
STOPPED: Final = "stream-stopped"
ERROR: Final = "stream-error"


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class StatusCallbacks:
    """Tells of one stream; whoever calls `tell` waits until it is told, so the order stays.

    Args:
        documents: what reaches the customer's server.
        request: the stream.
        clock: tells the time.

    """

    def __init__(self, documents: Documents, request: StreamRequest, clock: Callable[[], datetime] = now) -> None:
        self._documents, self._request, self._clock = documents, request, clock

    async def tell(self, identity: StreamIdentity, event: str, error: str = "") -> None:
        """Tell an event, if anybody wants to know. What the server answers does not matter."""
        if not self._request.status_callback:
            return
        parameters = [
            ("AccountSid", identity.account_sid),
            ("CallSid", identity.call_sid),
            ("StreamSid", identity.stream_sid),
            ("StreamName", self._request.name),
            ("StreamEvent", event),
            ("Timestamp", self._clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")),
        ]
        if error:
            parameters.append(("StreamError", error))
        try:
            await self._documents.fetch(self._request.status_callback, self._request.status_callback_method, parameters)
        except FetchFailed as failed:
            fields = {"call_sid": identity.call_sid, "stream_sid": identity.stream_sid, "reason": str(failed)}
            logger.warning("status callback of a media stream failed", extra=fields)
