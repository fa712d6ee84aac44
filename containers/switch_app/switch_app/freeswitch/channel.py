"""A channel that FreeSWITCH has handed over: applications run on it one at a time, and each can be broken off."""

import asyncio
import itertools
import logging
import re
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Final

from switch_app.errors import CallEnded, MediaServerError
from switch_app.freeswitch.connection import Connection
from switch_app.freeswitch.messages import Event, Message, command

logger = logging.getLogger(__name__)

LOST: Final = "NORMAL_TEMPORARY_FAILURE"
"""The cause of a call whose FreeSWITCH is gone."""

_BREAK_SECONDS: Final = 0.1
_END_SECONDS: Final = 2.0
_BREAKS_MAXIMUM: Final = 100
_NAME: Final = re.compile(r"[0-9A-Za-z_-]{1,100}")
_VALUE: Final = re.compile(r"[0-9A-Za-z.:@+_*#/= -]{1,200}")


class Channel:
    """A channel, as its outbound event socket shows it.

    Args:
        connection: the socket that it was handed over by.
        start: FreeSWITCH's answer to `connect`.

    Attributes:
        uuid: its identifier.
        variables: as they were when it was handed over.
        is_answered: whether it is answered.
        ended: done when it is gone, with the cause.
        completed: done when everything is known of it, or nothing more will be.
        last_event: the last that is known of it; its variables are those at the end once it has ended.
        on_digit: asked with each key first; a key that it takes (True) is not kept.

    """

    def __init__(self, connection: Connection, start: Event) -> None:
        self._connection = connection
        self.uuid = start.uuid or start.headers.get("Channel-Unique-ID", "")
        self.variables: Mapping[str, str] = start.variables
        self.is_answered = start.headers.get("Answer-State") == "answered"
        self.last_event = start
        self.on_digit: Callable[[str], bool] | None = None
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.completed = asyncio.Event()
        self._numbers = itertools.count(1)
        self._executing: dict[str, asyncio.Future[Event | None]] = {}
        self._digits: deque[str] = deque()
        self._digit = asyncio.Event()

    # --- what FreeSWITCH says

    def take(self, event: Event) -> None:
        """Take an event of the channel."""
        if event.uuid != self.uuid:
            return
        if event.name == "DTMF":
            self._press(event.headers.get("DTMF-Digit", ""))
        elif event.name == "CHANNEL_EXECUTE_COMPLETE":
            self._complete(event.headers.get("Application-UUID", ""), event)
        elif event.name == "CHANNEL_ANSWER":
            self.is_answered = True
        elif event.name in ("CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE"):
            self.last_event = event
            self._end(event.headers.get("Hangup-Cause") or LOST)
            if event.name == "CHANNEL_HANGUP_COMPLETE":
                # An application that was still queued is never run, and FreeSWITCH says nothing of it.
                self._complete_all()

    def lose(self) -> None:
        """Take notice that the socket is closed: nothing more is heard of the channel."""
        self._end(LOST)
        self._complete_all()

    # --- what is done with it

    def require(self) -> None:
        """Return when the channel is there.

        Raises:
            CallEnded: when it is gone.

        """
        if self.ended.done():
            raise CallEnded(self.ended.result())

    async def execute(self, application: str, argument: str = "") -> Event:
        """Run an application to its end. When this is cancelled, the application is broken off first.

        Args:
            application: its name.
            argument: any text; it is taken as it stands.

        Raises:
            CallEnded: when the channel is gone, or goes meanwhile.
            MediaServerError: when FreeSWITCH refuses.

        """
        event = await self.execute_to_end(application, argument)
        self.require()
        assert event is not None  # noqa: S101
        return event

    async def execute_to_end(self, application: str, argument: str = "") -> Event | None:
        """Run an application like `execute`, but return when the channel goes meanwhile: None when FreeSWITCH had no
        time to say so."""
        self.require()
        return await self._to_its_end(self.begin(application, argument))

    def begin(self, application: str, argument: str = "") -> "asyncio.Future[Event | None]":
        """Begin to run an application, and return what is done when it has ended.

        Raises:
            MediaServerError: for an application that cannot be named so.

        """
        return self._begin(application, argument)[0]

    async def break_off(self, future: "asyncio.Future[Event | None]") -> None:
        """End an application that was begun. It may not have started, or may just have ended; a break is not kept for
        the next one, so one is sent until it has ended."""
        for _ in range(_BREAKS_MAXIMUM):
            if future.done():
                return
            try:
                await self._connection.api(f"uuid_break {self.uuid}")
            except MediaServerError:
                self.lose()
            await asyncio.wait({future}, timeout=_BREAK_SECONDS)
        logger.error("an application does not end; the call is given up", extra={"call_uuid": self.uuid})
        self._connection.close()

    async def set_variables(self, variables: Mapping[str, str]) -> None:
        """Set variables whose values are plain: identifiers, numbers, truth values.

        Raises:
            CallEnded: when the channel is gone.
            MediaServerError: naming a variable that cannot be set so.

        """
        self.require()
        if variables:
            await self._set(self._write(self._setting(variables))[0])

    async def set_variables_and_execute(self, variables: Mapping[str, str], application: str) -> None:
        """Set variables and run an application to its end, told in one piece. It is not told when the channel goes
        once they are set; whatever is done next is.

        Raises:
            CallEnded: when the channel is gone and they are not set.
            MediaServerError: naming a variable that cannot be set so.

        """
        self.require()
        ended, (answer, *_) = self._begin(application, "", self._setting(variables))
        await self._set(answer)
        await self._to_its_end(ended)

    async def hangup(self, cause: str) -> None:
        """End the channel and return when it has ended.

        Raises:
            CallEnded: when it had ended before.

        """
        self.require()
        headers = {"call-command": "hangup", "hangup-cause": cause}
        try:
            async with asyncio.timeout(_BREAK_SECONDS * _BREAKS_MAXIMUM):
                await self._connection.write(command("sendmsg", headers))[0]
                await asyncio.shield(self.ended)
        except MediaServerError:
            self.lose()
        except TimeoutError:
            raise MediaServerError("FreeSWITCH does not end a call") from None

    async def api(self, line: str) -> str:
        """Run an API command and return its output.

        Raises:
            CallEnded: when the channel is gone.

        """
        try:
            return await self._connection.api(line)
        except MediaServerError:
            self.lose()
            raise CallEnded(self.ended.result()) from None

    # --- keys

    def discard_digits(self) -> None:
        """Forget the keys so far."""
        self._digits.clear()
        self._digit.clear()

    async def next_digit(self, timeout: float | None) -> str | None:
        """Return the next key, or None when there is none in time.

        Raises:
            CallEnded: when the channel is gone, or goes meanwhile.

        """
        if not self._digits:
            self.require()
            waiting = asyncio.ensure_future(self._digit.wait())
            try:
                futures: list[asyncio.Future[Any]] = [waiting, self.ended]
                await asyncio.wait(futures, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiting.cancel()
        self.require()
        digit = self._digits.popleft() if self._digits else None
        if not self._digits:
            self._digit.clear()
        return digit

    # ---

    def _write(self, *commands: bytes) -> "Sequence[asyncio.Future[Message]]":
        try:
            return self._connection.write(*commands)
        except MediaServerError:
            self.lose()
            raise CallEnded(self.ended.result()) from None

    def _begin(
        self, application: str, argument: str, *before: bytes
    ) -> "tuple[asyncio.Future[Event | None], Sequence[asyncio.Future[Message]]]":
        """Begin to run an application after some commands; return what is done when it has ended, and their answers."""
        identifier = str(next(self._numbers))
        headers = {"call-command": "execute", "execute-app-name": application, "Event-UUID": identifier}
        *answers, answer = self._write(*before, command("sendmsg", headers, argument))
        future: asyncio.Future[Event | None] = asyncio.get_running_loop().create_future()
        self._executing[identifier] = future
        answer.add_done_callback(partial(self._was_told, identifier, application))
        return future, answers

    async def _to_its_end(self, future: "asyncio.Future[Event | None]") -> Event | None:
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await to_the_end(self.break_off(future))
            raise

    def _setting(self, variables: Mapping[str, str]) -> bytes:
        """Return the command that sets variables."""
        for name, value in variables.items():
            if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
                raise MediaServerError(f"the variable {name[:60]!r} cannot be set: its name or value is not plain")
        written = ";".join(f"{name}={value}" for name, value in variables.items())
        return command(f"api uuid_setvar_multi {self.uuid} {written}")

    async def _set(self, answer: "asyncio.Future[Message]") -> None:
        """Return when variables were set."""
        try:
            reply = (await answer).reply
        except MediaServerError:
            self.lose()
            raise CallEnded(self.ended.result()) from None
        if "No such channel" in reply:
            # It is going; how is about to be told.
            await asyncio.wait({self.ended}, timeout=_END_SECONDS)
            self._end(LOST)
            self.require()
        if reply.startswith("-"):
            raise MediaServerError(f"FreeSWITCH refuses variables: {reply}")

    def _press(self, digit: str) -> None:
        if self.on_digit is not None and self.on_digit(digit):
            return
        self._digits.append(digit)
        self._digit.set()

    def _was_told(self, identifier: str, application: str, answer: "asyncio.Future[Message]") -> None:
        """Take the answer to the order to run an application."""
        if answer.cancelled() or answer.exception() is not None:  # the connection is closed
            self._complete(identifier, None)
        elif (reply := answer.result().reply).startswith("-ERR"):
            # The session may be gone while its socket lingers.
            if "session" in reply:
                self._end(LOST)
                self._complete(identifier, None)
            else:
                self._fail(identifier, MediaServerError(f"FreeSWITCH refuses {application}: {reply}"))

    def _fail(self, identifier: str, error: BaseException) -> None:
        future = self._executing.pop(identifier, None)
        if future is not None and not future.done():
            future.set_exception(error)

    def _complete_all(self) -> None:
        self.completed.set()
        for identifier in list(self._executing):
            self._complete(identifier, None)

    def _complete(self, identifier: str, event: Event | None) -> None:
        if event is None:
            self._end(LOST)
        future = self._executing.pop(identifier, None)
        if future is not None and not future.done():
            future.set_result(event)

    def _end(self, cause: str) -> None:
        if not self.ended.done():
            self.ended.set_result(cause)


def headers_sent(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables that have FreeSWITCH send headers to a caller: with 183, and with a final answer."""
    return {f"sip_{kind}_{name}": value for name, value in headers.items() for kind in ("ph", "rh")}


async def to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Do some work to its end, also when whoever waits for it is cancelled, and again."""
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
    task.result()
