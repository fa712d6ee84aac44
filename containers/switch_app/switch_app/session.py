"""What a verb has at hand while it runs."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import urljoin

from switch_app.call import Call
from switch_app.call_properties import CallProperties
from switch_app.errors import TwimlError
from switch_app.services import Document, Services, headers_of

logger = logging.getLogger(__name__)

_SETTLE_SECONDS: Final = 60
"""How long what a call leaves behind may take: every client has a limit of its own below this."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Goto:
    """What a verb returns to go on with another document.

    Attributes:
        url: absolute, or relative to the current document; empty for the current document.
        method: `GET` or `POST`.
        parameters: what the verb adds to the request.
        call_has_ended: whether the request is made only so that the customer's server knows what came of the verb; its
            document is not run.

    """

    url: str
    method: str = "POST"
    parameters: Sequence[tuple[str, str]] = ()
    call_has_ended: bool = False


Outcome = Goto | None
"""What a verb returns: None goes on with the next verb."""


@dataclass(slots=True)
class Session:
    """A call that runs TwiML.

    Attributes:
        call: the call.
        properties: what the platform says of it.
        services: what else there is.
        base_url: where the current document came from; None as long as only inline TwiML ran.
        is_first_request: whether the customer's server has not been asked yet.

    """

    call: Call
    properties: CallProperties
    services: Services
    base_url: str | None = None
    is_first_request: bool = True
    _begun: set[asyncio.Task[Any]] = field(default_factory=set, repr=False)

    def begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin what is to be finished also when the verb is cut short or the caller leaves: a request that makes
        something at the platform, the delivery of a recording. `finish` awaits it."""
        task = asyncio.ensure_future(work)
        self._begun.add(task)
        task.add_done_callback(self._finished)
        return task

    async def finish(self, task: asyncio.Task[T]) -> T:
        """Return what came of work that was begun. When this is cancelled, the work goes on."""
        return await asyncio.shield(task)

    async def settle(self) -> None:
        """Wait until all that was begun is finished, or its time has passed."""
        if self._begun:
            _, late = await asyncio.wait(self._begun, timeout=_SETTLE_SECONDS)
            for task in late:
                logger.error("work of a call is given up", extra={"call_sid": self.properties.sid})
                task.cancel()

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._begun.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.warning("work of a call failed", extra={"call_sid": self.properties.sid, "reason": str(error)})

    async def answer(self) -> None:
        """Answer the call, unless it is answered."""
        await self.call.answer(headers_of(self.properties))

    def resolve(self, url: str) -> str:
        """Return a URL made absolute; an empty one is the current document's.

        Raises:
            TwimlError: for a relative URL while there is no document that it could be relative to.

        """
        if self.base_url is None and "://" not in url:
            raise TwimlError(f"the URL {url!r} is relative, and the document that has it was not fetched from anywhere")
        try:
            return urljoin(self.base_url or "", url.strip())
        except ValueError:
            raise TwimlError(f"{url!r} is no URL") from None

    async def fetch(self, goto: Goto) -> Document:
        """Ask the customer's server for the next document.

        Raises:
            FetchFailed: saying why there is none.
            TwimlError: for a URL that cannot be resolved.

        """
        status = "ringing" if self.is_first_request else "in-progress"
        if goto.call_has_ended:
            status = "completed"
        self.is_first_request = False
        properties = self.properties
        standard = [
            ("Caller", properties.sender),
            ("Called", properties.to),
            ("From", properties.sender),
            ("To", properties.to),
            ("CallSid", properties.sid),
            ("Direction", properties.direction),
            ("AccountSid", properties.account_sid),
            ("ApiVersion", properties.api_version),
            ("CallStatus", status),
        ]
        parameters = [*standard, *goto.parameters]
        document = await self.services.documents.fetch(self.resolve(goto.url), goto.method, parameters)
        self.base_url = document.url
        return document
