"""Runs documents on a call, verb by verb, until one ends it. A change of plan cuts in at any moment."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from switch_app.errors import CallEnded, FetchFailed, TwimlError
from switch_app.session import Goto, Session
from switch_app.verbs.catalogue import read_verbs
from switch_app.verbs.redirect import Redirect
from switch_app.verbs.verb import Verb

logger = logging.getLogger(__name__)

_REDIRECTS_MAXIMUM: Final = 50
"""Documents in a row that do nothing but redirect."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Update:
    """What a live call is to do instead of what it does: the document at a URL, or a document. One of them is there."""

    voice_url: str | None = None
    voice_method: str | None = None
    twiml: str | None = None


class _Updated(Exception):
    """Something else is to be done now."""


class Interpreter:
    """Runs one call.

    Args:
        session: the call, and what its verbs have at hand.

    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._update: Update | None = None
        self._updated = asyncio.Event()

    def update(self, update: Update) -> None:
        """Have the call do something else, whatever it does now. The last of several counts."""
        self._update = update
        self._updated.set()

    async def run(self) -> None:
        """Run the call's first document, and what follows from it, to the end. The call is over then.

        A document that cannot be had or run is logged and ends the call.
        """
        properties = self._session.properties
        plan = Update(properties.voice_url, properties.voice_method, properties.twiml)
        extra = {"call_sid": properties.sid, "call_uuid": self._session.call.uuid}
        try:
            while True:
                try:
                    await self._run_plan(plan)
                except _Updated:
                    plan = self._take_update()
                    continue
                break
            await self._session.call.hangup()
        except CallEnded as ended:
            logger.info("call ended", extra={**extra, "cause": ended.cause})
        except (TwimlError, FetchFailed) as error:
            logger.warning("call is ended by its document", extra={**extra, "reason": str(error)})
            await self._session.call.hangup()

    async def _run_plan(self, plan: Update) -> None:
        if plan.voice_url:
            goto: Goto | None = Goto(plan.voice_url, "GET" if plan.voice_method == "GET" else "POST")
            verbs: Sequence[Verb] = ()
        else:
            goto, verbs = None, read_verbs(plan.twiml or "")
        redirects = 0
        while True:
            if goto is not None:
                verbs = await self._fetch(goto)
            redirects = redirects + 1 if verbs and isinstance(verbs[0], Redirect) else 0
            if redirects > _REDIRECTS_MAXIMUM:
                raise TwimlError(f"more than {_REDIRECTS_MAXIMUM} documents in a row do nothing but redirect")
            goto = await self._run_verbs(verbs)
            if goto is None:
                return

    async def _run_verbs(self, verbs: Sequence[Verb]) -> Goto | None:
        for verb in verbs:
            outcome = await self._unless_updated(verb.run(self._session))
            if outcome is not None:
                return outcome
        return None

    async def _fetch(self, goto: Goto) -> Sequence[Verb]:
        document = await self._unless_updated(self._session.fetch(goto))
        return read_verbs(document.content)

    async def _unless_updated(self, work: Coroutine[Any, Any, T]) -> T:
        """Do some work, and drop it when there is an update."""
        task = asyncio.ensure_future(work)
        waiting = asyncio.ensure_future(self._updated.wait())
        try:
            await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if not self._updated.is_set():
                return task.result()
        finally:
            waiting.cancel()
            if not task.done():
                task.cancel()
            # What the work raises when it is dropped does not matter, but that it is over does.
            await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled() and isinstance(task.exception(), CallEnded):
            return task.result()
        raise _Updated

    def _take_update(self) -> Update:
        assert self._update is not None  # noqa: S101
        update, self._update = self._update, None
        self._updated.clear()
        return update
