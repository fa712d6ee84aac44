"""One Dial: legs are rung all at once, the first who answers is joined, and how each ended is told."""

import asyncio
import contextlib
import functools
import logging
from typing import Final

from switch_app.call import DialRequest, DialResult, Leg, LegResult
from switch_app.errors import CallEnded, MediaServerError
from switch_app.freeswitch.channel import Channel, headers_sent, to_the_end
from switch_app.freeswitch.dial_string import bracketed, endpoint_of, variables_of
from switch_app.freeswitch.legs import DialledLeg, DialledLegs
from switch_app.freeswitch.messages import Event

logger = logging.getLogger(__name__)

_RINGBACK: Final = "%(2000,4000,440,480)"
"""Two seconds of ringing, four of silence."""

_NOT_REACHED: Final = 480

_KILL_SECONDS: Final = 0.2
_COMPLETE_SECONDS: Final = 5.0
"""How long the end of a leg is waited for after its dial is over."""

_CREATE_SECONDS: Final = 1.0
"""How long a sign of a leg that FreeSWITCH made no channel of is waited for."""


class Dialling:
    """A dial that runs once.

    Args:
        channel: who is rung for.
        legs: where what happens to legs is told.
        request: whom to ring.

    """

    def __init__(self, channel: Channel, legs: DialledLegs, request: DialRequest) -> None:
        self._channel, self._legs, self._request = channel, legs, request
        self._strings: dict[str, str] = {}
        self._dialled: dict[str, DialledLeg] = {}
        self._refused: set[str] = set()
        self._is_recording = False
        self._killing: asyncio.Future[None] | None = None

    async def run(self) -> DialResult:
        """Ring, join, and return how it ended.

        Raises:
            MediaServerError: when FreeSWITCH refuses to ring at all.

        """
        try:
            self._channel.require()
            for leg in self._request.legs:
                self._prepare(leg)
            if self._strings:
                for leg in self._request.legs:
                    if leg.uuid in self._strings:
                        lost = functools.partial(self._request.lost, leg)
                        self._dialled[leg.uuid] = self._legs.watch(leg.uuid, lost)
                await self._bridge()
                await self._wait_for_ends()
            return self._result()
        finally:
            for leg in self._request.legs:
                result = self._result_of(leg)
                if not result.reached:
                    self._request.unreached(leg, result)
            for dialled in self._dialled.values():
                self._legs.forget(dialled)

    def _prepare(self, leg: Leg) -> None:
        variables = {**variables_of(leg), "leg_timeout": str(self._request.timeout)}
        if leg.send_digits:
            variables |= {"bridge_pre_execute_app": "send_dtmf", "bridge_pre_execute_data": leg.send_digits}
        try:
            self._strings[leg.uuid] = bracketed(variables, "[]", spaces=True) + endpoint_of(leg)
        except MediaServerError as error:
            self._refused.add(leg.uuid)
            logger.warning("leg is not dialled", extra={"call_uuid": self._channel.uuid, "reason": str(error)})

    async def _bridge(self) -> None:
        channel, request = self._channel, self._request
        if not channel.is_answered:
            await channel.set_variables(headers_sent(request.answer_headers))
        ringing = channel.is_answered and request.ringback
        # Whose early media would be heard when several ring?
        ignores_media = ringing or len(self._strings) > 1
        # "transfer_ringback" is what a caller hears who is answered already.
        await channel.execute("set", f"transfer_ringback={_RINGBACK if ringing else ''}")
        options = {"originate_timeout": str(request.timeout), "ignore_early_media": str(ignores_media).lower()}
        argument = bracketed(options, "{}", spaces=True) + ",".join(self._strings.values())
        channel.on_digit = self._press
        bridge = channel.begin("bridge", argument)
        watching = asyncio.ensure_future(self._watch())
        try:
            await asyncio.shield(bridge)
        except asyncio.CancelledError:
            await to_the_end(self._end(bridge))
            await to_the_end(self._wait_for_ends())
            raise
        finally:
            channel.on_digit = None
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await to_the_end(self._stop_recording())

    async def _watch(self) -> None:
        """Do what is to be done while they talk."""
        bridged = await self._first_bridged()
        await bridged.answered.wait()
        if self._request.record is not None and not self._channel.ended.done():
            await self._channel.set_variables({"record_sample_rate": "8000"})
            await self._channel.api(f"uuid_record {self._channel.uuid} start {self._request.record}")
            self._is_recording = True
        await asyncio.sleep(self._request.time_limit)
        await self._kill(bridged.uuid, "ALLOTTED_TIMEOUT")

    async def _first_bridged(self) -> DialledLeg:
        waiting = {asyncio.ensure_future(leg.bridged.wait()): leg for leg in self._dialled.values()}
        try:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            return waiting[next(iter(done))]
        finally:
            for task in waiting:
                task.cancel()

    def _press(self, digit: str) -> bool:
        """Keys go to the other side while there is one; a star may be for us."""
        joined = next((leg for leg in self._dialled.values() if leg.bridged.is_set()), None)
        if digit == "*" and self._request.hangup_on_star and joined is not None and not joined.completed.is_set():
            self._killing = asyncio.ensure_future(self._kill(joined.uuid, "NORMAL_CLEARING"))
        return joined is not None

    async def _end(self, bridge: "asyncio.Future[Event | None]") -> None:
        """End every leg; some may not exist yet."""
        while not bridge.done():
            for leg in self._dialled.values():
                if not leg.completed.is_set():
                    await self._kill(leg.uuid, "ORIGINATOR_CANCEL")
            await asyncio.wait({bridge}, timeout=_KILL_SECONDS)

    async def _kill(self, uuid: str, cause: str) -> None:
        with contextlib.suppress(CallEnded):  # the socket is closed: FreeSWITCH is gone, and the legs with it
            await self._channel.api(f"uuid_kill {uuid} {cause}")

    async def _stop_recording(self) -> None:
        if self._is_recording and not self._channel.ended.done():
            with contextlib.suppress(CallEnded):
                await self._channel.api(f"uuid_record {self._channel.uuid} stop {self._request.record}")

    async def _wait_for_ends(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for leg in self._dialled.values():
            while not leg.completed.is_set():
                limit = began + (_COMPLETE_SECONDS if leg.created else _CREATE_SECONDS) - loop.time()
                if limit <= 0:
                    break
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(leg.completed.wait(), min(limit, 0.1))

    def _result(self) -> DialResult:
        results = [self._result_of(leg) for leg in self._request.legs]
        for number, leg in enumerate(self._request.legs):
            dialled = self._dialled.get(leg.uuid)
            if dialled is not None and dialled.bridged.is_set() and dialled.answered.is_set():
                return DialResult(results, number, dialled.seconds, self._channel.ended.done())
        return DialResult(results, hung_up=self._channel.ended.done())

    def _result_of(self, leg: Leg) -> LegResult:
        if leg.uuid in self._dialled:
            return self._dialled[leg.uuid].result()
        if leg.uuid in self._refused:
            return LegResult(reached=False, cause="INVALID_NUMBER_FORMAT", sip_status=None)
        return LegResult(reached=False, cause="ORIGINATOR_CANCEL", sip_status=_NOT_REACHED)
