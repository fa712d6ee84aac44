"""A media server without media: calls come and are made, with the events and the time of a real one."""

import asyncio
import uuid
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from switch_app.call import Leg
from switch_app.errors import MediaServerError
from switch_app.telephony import CallEvent, CallEventKind, CallHandler
from tests.fakes.call import Callee, FakeCall

_EPOCH = 1_607_752_961
"""When every call is answered, for whoever reads `answer_epoch`."""


@dataclass
class FakeTelephony:
    """A media server.

    Attributes:
        handler: whom it hands its calls and events to; it may be set later than this is made.
        pace: seconds of the event loop that a second of a call takes.
        callees: whom it can reach, by the leg's address, also from within a call; anybody else does not answer.
        down: why it takes no calls and makes none; None when it does.
        refuses_new_calls: whether it was told to.

    What the test sees of it:
        legs: legs that were to be originated, in their order.
        calls: calls that were handed over, by uuid; those that ended too.
        events: what the handler was told.
        failures: what the handler raised.

    """

    handler: CallHandler | None = None
    pace: float = 0.01
    callees: dict[str, Callee] = field(default_factory=dict)
    down: str | None = None
    refuses_new_calls: bool = False

    legs: list[Leg] = field(default_factory=list)
    calls: dict[str, FakeCall] = field(default_factory=dict)
    events: list[CallEvent] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._ringing: dict[str, asyncio.Task[None]] = {}
        self._causes: dict[str, str] = {}

    async def originate(self, leg: Leg, timeout: int) -> None:
        self._check_up()
        callee = self.callees.get(leg.address, Callee.silent())
        if not callee.reachable:
            raise MediaServerError("originate: DESTINATION_OUT_OF_ORDER")
        self.legs.append(leg)
        task = self._begin(self._ring(leg, callee, timeout))
        self._ringing[leg.uuid] = task
        task.add_done_callback(lambda _: self._ringing.pop(leg.uuid, None))
        await asyncio.sleep(0)  # it rings when this returns, so that a hang-up finds something to end

    async def hangup(self, uuid: str, cause: str = "NORMAL_CLEARING") -> bool:
        call = self.calls.get(uuid)
        if call is not None and call.cause is None:
            call.end(cause)
            return True
        task = self._ringing.get(uuid)
        if task is None:
            return False
        self._causes[uuid] = cause
        task.cancel()
        return True

    async def wait_until_ready(self) -> None:
        """Be there, as it always is."""

    async def has_channel(self, uuid: str) -> bool:
        self._check_up()
        calls = [call for call in self.calls.values() if call.cause is None]
        legs = {leg.uuid for call in calls for leg in call.ringing}
        return uuid in legs | self._ringing.keys() | {call.uuid for call in calls}

    async def check(self) -> None:
        self._check_up()

    async def refuse_new_calls(self) -> None:
        self.refuses_new_calls = True

    def come(self, variables: Mapping[str, str], channel: str | None = None) -> FakeCall:
        """Have a call come in, and hand it over; the test plays its caller.

        Args:
            variables: what the media server says of it.
            channel: its uuid; a new one where there is none.

        Raises:
            MediaServerError: when it takes none.

        """
        self._check_up()
        if self.refuses_new_calls:
            raise MediaServerError("no new calls are taken")
        call = self._new_call(channel or str(uuid.uuid4()), variables)
        self._begin(self._handle(call))
        return call

    async def settle(self) -> None:
        """Return when no call is left."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _ring(self, leg: Leg, callee: Callee, timeout: int) -> None:
        self._note(CallEventKind.RINGING, leg.uuid)
        answered = callee.answers_after is not None and callee.answers_after < timeout
        status: int | None = 487
        try:
            if callee.refuses_after is not None and callee.refuses_after < timeout:
                await asyncio.sleep(callee.refuses_after * self.pace)
                status = callee.status
            else:
                wait = callee.answers_after if answered else timeout
                await asyncio.sleep((wait or 0) * self.pace)
                answered = answered and leg.uuid not in self._causes
        except asyncio.CancelledError:
            if leg.uuid not in self._causes:
                raise
            answered, status = False, 487
        if not answered:
            self._note(CallEventKind.COMPLETED, leg.uuid, sip_term_status=str(status))
            return
        call = self._new_call(leg.uuid, {}, answered=True)
        self._ringing.pop(leg.uuid, None)
        if callee.talks_for is not None:
            call.after(callee.talks_for, call.end)
        await self._handle(call)

    def _new_call(self, channel: str, variables: Mapping[str, str], *, answered: bool = False) -> FakeCall:
        call = FakeCall(channel, dict(variables), is_answered=answered, pace=self.pace, callees=self.callees)
        self.calls[channel] = call
        return call

    async def _handle(self, call: FakeCall) -> None:
        """Hand a call over, and tell of it as a media server does, whoever handles it."""
        assert self.handler is not None
        watching = asyncio.ensure_future(self._watch(call))
        try:
            await self.handler.handle(call)
        except Exception as error:  # noqa: BLE001 - kept for the test to see; the call ends as it would
            self.failures.append(error)
        call.end()
        await watching

    async def _watch(self, call: FakeCall) -> None:
        await call.wait_until_answered_or_ended()
        if call.is_answered:
            self._note(CallEventKind.ANSWERED, call.uuid, answer_epoch=str(_EPOCH))
        await call.wait_until_ended()
        if call.is_answered:
            self._note(CallEventKind.COMPLETED, call.uuid, sip_term_status="200", answer_epoch=str(_EPOCH))
        else:
            self._note(CallEventKind.COMPLETED, call.uuid)

    def _note(self, kind: CallEventKind, channel: str, **variables: str) -> None:
        event = CallEvent(kind, channel, variables)
        self.events.append(event)
        assert self.handler is not None
        self.handler.note(event)

    def _check_up(self) -> None:
        if self.down is not None:
            raise MediaServerError(self.down)

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
