"""Runs documents on a call, verb by verb, until one ends it. A change of plan cuts in at any moment."""

import asyncio
import contextlib
import functools
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeVar

from switch_app.errors import CallEnded, FetchFailed, TwimlError
from switch_app.session import Goto, Outcome, Session
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
        self._work: asyncio.Task[Any] | None = None
        self._ended: asyncio.Task[str] | None = None

    def update(self, update: Update) -> None:
        """Have the call do something else, whatever it does now. The last of several counts; a call that is over does
        nothing any more.

        What it does is stopped here and now, and not when the loop comes round to it: otherwise the old document could
        begin one more thing.
        """
        if self._ended is not None and self._ended.done():
            return
        self._update = update
        if self._work is not None:
            self._work.cancel()

    async def run(self) -> None:
        """Run the call's first document, and what follows from it, to the end. The call is over then, and everything
        that it left behind (deliveries, records) is done.

        A document that cannot be had or run is logged and ends the call.

        Raises:
            MediaServerError: when the media server refuses; nothing can be done on the call any more.

        """
        properties, call = self._session.properties, self._session.call
        plan = Update(properties.voice_url, properties.voice_method, properties.twiml)
        extra = {"call_sid": properties.sid, "call_uuid": call.uuid}
        self._ended = asyncio.ensure_future(call.wait_until_ended())
        try:
            try:
                await self._run_plans(plan)
            except (TwimlError, FetchFailed) as error:
                logger.warning("call is ended by its document", extra={**extra, "reason": str(error)})
            await call.hangup()
        except CallEnded as ended:
            logger.info("call ended", extra={**extra, "cause": ended.cause})
        finally:
            self._ended.cancel()
            await self._session.settle()

    async def _run_plans(self, plan: Update) -> None:
        while True:
            with contextlib.suppress(_Updated):
                await self._run_plan(plan)
            if self._update is None:
                return
            plan, self._update = self._update, None

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
            if goto.call_has_ended:
                await self._tell(goto)

    async def _run_verbs(self, verbs: Sequence[Verb]) -> Goto | None:
        for verb in verbs:
            outcome = await self._unless_updated(functools.partial(self._run_verb, verb))
            if outcome is not None:
                return outcome
        return None

    async def _run_verb(self, verb: Verb) -> Outcome:
        session = self._session
        keys = {"call_sid": session.properties.sid, "call_uuid": session.call.uuid}
        logger.info("verb begins", extra={**keys, "verb": type(verb).__name__})
        return await verb.run(session)

    async def _fetch(self, goto: Goto) -> Sequence[Verb]:
        begun = asyncio.get_running_loop().time()
        document = await self._unless_updated(functools.partial(self._session.fetch, goto), drop_at_end=True)
        # Callers hear nothing meanwhile: an operator asks the log whose server is slow.
        took = round((asyncio.get_running_loop().time() - begun) * 1000)
        keys = {"call_sid": self._session.properties.sid, "call_uuid": self._session.call.uuid}
        logger.info("document fetched", extra={**keys, "milliseconds": took})
        return read_verbs(document.content)

    async def _tell(self, goto: Goto) -> NoReturn:
        """Let the customer's server know what came of a verb that the caller's leaving ended. Whatever it answers, and
        whatever the call was told to do meanwhile, the call is over."""
        with contextlib.suppress(TwimlError, FetchFailed):
            await self._session.fetch(goto)
        raise CallEnded

    async def _unless_updated(self, work: Callable[[], Coroutine[Any, Any, T]], *, drop_at_end: bool = False) -> T:
        """Do some work, unless the call is over or to do something else; drop it when there is an update.

        Args:
            work: what is begun; a verb notices itself that the call is over.
            drop_at_end: drop it also when the call is over: nobody is there any more for whom it would be of use.

        """
        if self._ended is not None and self._ended.done():
            raise CallEnded(self._ended.result())
        if self._update is not None:
            raise _Updated
        task: asyncio.Task[T] = asyncio.ensure_future(work())
        self._work = task
        is_overtaken = False
        try:
            ends = [task, self._ended] if drop_at_end and self._ended is not None else [task]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            is_overtaken = not task.done()
        finally:
            # Where this itself is cancelled, the work is too, and is over before this is left.
            self._work = None
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if is_overtaken and self._ended is not None:
            raise CallEnded(self._ended.result())
        if self._update is None:
            return task.result()
        self._look_at_dropped(task)
        raise _Updated

    def _look_at_dropped(self, task: asyncio.Task[Any]) -> None:
        """Let what was dropped say that the call is over; what else it says does not matter any more, but is logged."""
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, CallEnded):
            raise error
        extra = {"call_sid": self._session.properties.sid, "reason": str(error)}
        logger.warning("what an update cut short had failed", extra=extra, exc_info=error)
