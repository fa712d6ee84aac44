"""A call without a media server: it keeps the time that a real one takes, and a test plays the caller and the callees.

`test_call_contract.py` holds it to what the real one is held to.
"""

import asyncio
import contextlib
import wave
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from switch_app.call import (
    FRAME_BYTES,
    FRAME_SECONDS,
    SILENCE_FRAME,
    AudioFile,
    DialRequest,
    DialResult,
    Leg,
    LegResult,
    Prompt,
    Recorded,
    RecordRequest,
    Rejection,
    Silence,
    Track,
)
from switch_app.errors import CallEnded, MediaServerError

RATE = 8000
TONE_FRAME = (b"\x00\x20" * 4 + b"\x00\xe0" * 4) * (FRAME_BYTES // 16)
"""What somebody who talks sounds like, and a prompt that is played: 1 kHz."""
_MOMENT = 1e-6
"""Seconds that count as none."""
_REJECTIONS = {Rejection.DECLINE: "CALL_REJECTED", Rejection.BUSY: "USER_BUSY"}

T = TypeVar("T")


@dataclass
class Callee:
    """Somebody who may be dialled.

    Attributes:
        answers_after: seconds of ringing before the answer; None for never.
        talks_for: seconds until the callee hangs up; None for as long as the caller likes.
        refuses_after: seconds until the callee refuses, with `status` and `cause`; None for never.
        reachable: whether the media server can make a channel at all.

    """

    answers_after: float | None = 1.0
    talks_for: float | None = None
    refuses_after: float | None = None
    status: int = 486
    cause: str = "USER_BUSY"
    reachable: bool = True

    @classmethod
    def busy(cls) -> "Callee":
        """Return one who is busy."""
        return cls(answers_after=None, refuses_after=0.2)

    @classmethod
    def silent(cls) -> "Callee":
        """Return one whose telephone rings and rings."""
        return cls(answers_after=None)

    @classmethod
    def refusing(cls, status: int, cause: str) -> "Callee":
        """Return one whose network answers with a status."""
        return cls(answers_after=None, refuses_after=0.2, status=status, cause=cause)

    @classmethod
    def unreachable(cls) -> "Callee":
        """Return one to whom no channel can be made."""
        return cls(answers_after=None, reachable=False)


@dataclass(frozen=True)
class Heard:
    """A prompt that the caller began to hear.

    Attributes:
        prompt: what.
        at: seconds since the call began.

    """

    prompt: Prompt
    at: float


@dataclass
class FakeCall:
    """A call.

    Attributes:
        uuid: the channel's identifier.
        variables: what the media server says of it when it comes.
        is_answered: whether it is answered, as an originated one is from its beginning.
        pace: seconds of the event loop that a second of the call takes.
        callees: whom it can reach, by the leg's address; anybody else does not answer.
        unplayable: audio files that cannot be played.
        failing: methods that the media server refuses.
        prompt_seconds: how long an audio file or a speech lasts.

    What the test sees of it afterwards:
        heard: prompts that began, in their order.
        done: names of what was done on it, in their order.
        answer_headers, reject_headers, progress_headers: None as long as it did not happen.
        rejection, cause: how it was refused, and how it ended; None as long as it has not.
        sent: keys that were sent to the caller.
        variables_set: channel variables that were set.
        record_requests, dial_requests: what was asked for.
        written: recordings that were written, in seconds.
        spoken: frames that were spoken to the caller, each with the second that it was due.
        ringing: legs there are now.
        is_lost: whether the media server died.
        unreached: legs that were reported.

    """

    uuid: str = "5c8102f2-262a-418a-96b9-aa79789af621"
    variables: Mapping[str, str] = field(default_factory=dict)
    is_answered: bool = False
    pace: float = 1.0
    callees: dict[str, Callee] = field(default_factory=dict)
    unplayable: set[Path] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    prompt_seconds: float = 1.0

    heard: list[Heard] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    answer_headers: Mapping[str, str] | None = None
    reject_headers: Mapping[str, str] | None = None
    progress_headers: Mapping[str, str] | None = None
    rejection: Rejection | None = None
    cause: str | None = None
    sent: str = ""
    variables_set: dict[str, str] = field(default_factory=dict)
    record_requests: list[RecordRequest] = field(default_factory=list)
    dial_requests: list[DialRequest] = field(default_factory=list)
    written: list[float] = field(default_factory=list)
    spoken: list[tuple[float, bytes]] = field(default_factory=list)
    ringing: list[Leg] = field(default_factory=list)
    is_lost: bool = False
    unreached: list[Leg] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._digits: deque[str] = deque()
        self._pressed = asyncio.Event()
        self._ended = asyncio.Event()
        self._answered = asyncio.Event()
        if self.is_answered:
            self._answered.set()
        self._talks: list[tuple[float, float]] = []
        self._busy: str | None = None
        self._joined: float | None = None  # when the last dial's legs were
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()

    # What the caller does.

    def press(self, digits: str) -> None:
        """Press keys, one at once after the other."""
        self._digits.extend(digits)
        self._pressed.set()

    def talk(self, seconds: float) -> None:
        """Speak from now on; what the caller says is in a recording, and no silence."""
        self._talks.append((self.now, self.now + seconds))

    def end(self, cause: str = "NORMAL_CLEARING") -> None:
        """Hang up, or be hung up from outside."""
        if self.cause is None:
            self.cause = cause
            self._ended.set()

    def lose(self) -> None:
        """Have the media server die: the call ends, and with it every leg, of which nobody writes a record."""
        self.is_lost = self.cause is None
        self.end("NORMAL_TEMPORARY_FAILURE")

    def after(self, seconds: float, act: Callable[..., object], *arguments: object) -> None:
        """Have something happen in some seconds of the call."""
        self._loop.call_later(seconds * self.pace, act, *arguments)

    @property
    def now(self) -> float:
        """Seconds since the call began."""
        return (self._loop.time() - self._began) / self.pace

    @property
    def played(self) -> list[Prompt]:
        """What the caller heard, or began to."""
        return [heard.prompt for heard in self.heard]

    # What the product does with it.

    async def set_variables(self, variables: Mapping[str, str]) -> None:
        self._begin("set_variables")
        self.variables_set.update(variables)

    async def progress(self, variables: Mapping[str, str], headers: Mapping[str, str]) -> None:
        self._begin("progress")
        self.variables_set.update(variables)
        self.progress_headers = dict(headers)

    async def answer(self, headers: Mapping[str, str]) -> None:
        if self.is_answered:
            self._check()
            return
        self._begin("answer")
        self._note_answer(headers)

    async def reject(self, rejection: Rejection, headers: Mapping[str, str]) -> None:
        self._begin("reject")
        if self.is_answered:
            raise MediaServerError("reject: the call is answered")
        self.rejection, self.reject_headers = rejection, dict(headers)
        self.end(_REJECTIONS.get(rejection, "CALL_REJECTED"))

    async def hangup(self) -> None:
        self._begin("hangup")
        self.end()

    async def play(self, prompts: Sequence[Prompt]) -> None:
        self._begin("play")
        with self._exclusively("play"):
            for prompt in prompts:
                if isinstance(prompt, AudioFile) and prompt.path in self.unplayable:
                    continue
                self.heard.append(Heard(prompt, self.now))
                await self._pass(prompt.seconds if isinstance(prompt, Silence) else self.prompt_seconds)

    async def send_digits(self, digits: str) -> None:
        self._begin("send_digits")
        with self._exclusively("send_digits"):
            for digit in digits:
                await self._pass({"w": 0.5, "W": 1.0}.get(digit, 0.2))
                self.sent += digit if digit not in "wW" else ""

    def discard_digits(self) -> None:
        self._digits.clear()

    async def next_digit(self, timeout: float | None) -> str | None:
        self._check()
        deadline = None if timeout is None else self.now + timeout
        while not self._digits:
            self._pressed.clear()
            left = None if deadline is None else deadline - self.now
            if not await self._while_up(self._pressed.wait(), left):
                return None
        return self._digits.popleft()

    async def record(self, request: RecordRequest) -> Recorded:
        self._begin("record")
        self.record_requests.append(request)
        began, digit = self.now, None
        hung_up = False
        with self._exclusively("record"):
            try:
                while digit is None:
                    left = self._until_record_ends(request, began)
                    if left <= _MOMENT:
                        break
                    key = await self.next_digit(min(left, 0.1))
                    digit = key if key is not None and key in request.finish_keys else None
            except CallEnded:
                hung_up = True
            finally:
                self._write_wav(request.path, began)
        return Recorded(request.path, digit, hung_up)

    async def dial(self, request: DialRequest) -> DialResult:
        reported: set[str] = set()

        def report(leg: Leg, cause: str, status: int | None = None) -> LegResult:
            result = LegResult(False, cause, status)
            if leg.uuid not in reported:
                reported.add(leg.uuid)
                self.unreached.append(leg)
                request.unreached(leg, result)
            return result

        try:
            self._begin("dial")
        except (CallEnded, MediaServerError):
            for leg in request.legs:
                report(leg, "ORIGINATOR_CANCEL")
            raise
        self.dial_requests.append(request)
        results: dict[str, LegResult] = {}
        callees = {leg.uuid: self.callees.get(leg.address, Callee.silent()) for leg in request.legs}
        for leg in request.legs:
            if callees[leg.uuid].reachable:
                self.ringing.append(leg)
            else:
                results[leg.uuid] = report(leg, "DESTINATION_OUT_OF_ORDER")
        began = self.now
        with self._exclusively("dial"):
            try:
                return await self._ring(request, callees, results)
            finally:
                for leg in self.ringing if self.is_lost else ():
                    request.lost(leg, int(began), None if self._joined is None else int(self._joined))
                self.ringing = [leg for leg in self.ringing if leg not in request.legs]

    @contextlib.asynccontextmanager
    async def media(
        self, hear: Callable[[bytes], None], speak: Callable[[bool], bytes | None]
    ) -> AsyncIterator["FakeCall"]:
        self._begin("media")

        def beat() -> None:
            hear(self._said())
            frame = speak(True)
            if frame is not None:
                self.spoken.append((self.now, frame))

        with self._exclusively("media"):
            async with self._rhythm(beat):
                yield self

    def wake(self) -> None:
        """Do as if there was no room for audio in advance."""

    @contextlib.asynccontextmanager
    async def tap(self, tracks: Collection[Track], hear: Callable[[Track, bytes], None]) -> AsyncIterator[None]:
        self._begin("tap")

        def beat() -> None:
            for track in tracks:
                hear(track, self._said() if track is Track.INBOUND else self._heard())

        async with self._rhythm(beat):
            yield

    async def wait_until_ended(self) -> str:
        await self._ended.wait()
        assert self.cause is not None
        return self.cause

    async def wait_until_answered_or_ended(self) -> None:
        """Return when the call is answered or gone; a test waits so for what the product does."""
        waiting = [asyncio.ensure_future(event.wait()) for event in (self._answered, self._ended)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()

    # How it does it.

    def _heard(self) -> bytes:
        """Return what the caller hears at this moment."""
        if self._busy == "play":
            return SILENCE_FRAME if isinstance(self.heard[-1].prompt, Silence) else TONE_FRAME
        if self._busy == "media" and self.spoken and self.now - self.spoken[-1][0] < 2 * FRAME_SECONDS:
            return self.spoken[-1][1]
        return SILENCE_FRAME

    def _said(self) -> bytes:
        """Return what the caller says at this moment."""
        return TONE_FRAME if any(begin <= self.now < end for begin, end in self._talks) else SILENCE_FRAME

    @contextlib.asynccontextmanager
    async def _rhythm(self, beat: Callable[[], None]) -> AsyncIterator[None]:
        """Do something every 20 ms of the call, as long as there is one."""

        async def run() -> None:
            due = self.now
            while self.cause is None:
                beat()
                due += FRAME_SECONDS
                await asyncio.sleep(max(0.0, due - self.now) * self.pace)

        running = asyncio.ensure_future(run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            if not running.cancelled() and (error := running.exception()) is not None:
                raise error

    def _note_answer(self, headers: Mapping[str, str]) -> None:
        self.is_answered, self.answer_headers = True, dict(headers)
        self._answered.set()

    async def _ring(
        self, request: DialRequest, callees: Mapping[str, Callee], results: dict[str, LegResult]
    ) -> DialResult:
        began, self._joined = self.now, None
        moments: list[tuple[float, int, str]] = []
        for number, leg in enumerate(request.legs):
            callee = callees[leg.uuid]
            if leg.uuid in results:
                continue
            if callee.refuses_after is not None:
                moments.append((callee.refuses_after, number, "refuses"))
            elif callee.answers_after is not None:
                moments.append((callee.answers_after, number, "answers"))

        def finished(cause: str, **result: Any) -> DialResult:
            legs = [results.get(leg.uuid, LegResult(True, cause, None)) for leg in request.legs]
            return DialResult(legs, **result)

        try:
            for moment, number, act in sorted(moments):
                leg, callee = request.legs[number], callees[request.legs[number].uuid]
                if moment >= request.timeout or len(results) == len(request.legs):
                    break
                await self._pass(began + moment - self.now)
                if act == "refuses":
                    results[leg.uuid] = LegResult(True, callee.cause, callee.status)
                    self.ringing.remove(leg)
                    continue
                self.ringing = [leg]
                if not self.is_answered:
                    self.done.append("answer")
                    self._note_answer(request.answer_headers)
                return await self._join(request, number, callee, finished, results)
            if len(results) < len(request.legs):
                await self._pass(began + request.timeout - self.now)
        except CallEnded:
            return finished("ORIGINATOR_CANCEL", hung_up=True)
        return finished("NO_ANSWER")

    async def _join(
        self,
        request: DialRequest,
        number: int,
        callee: Callee,
        finished: Callable[..., DialResult],
        results: dict[str, LegResult],
    ) -> DialResult:
        joined_at, cause, hung_up = self.now, "NORMAL_CLEARING", False
        self._joined = joined_at
        limit = joined_at + min(request.time_limit, callee.talks_for if callee.talks_for is not None else float("inf"))
        self.discard_digits()
        try:
            while limit - self.now > _MOMENT:
                key = await self.next_digit(limit - self.now)
                if key == "*" and request.hangup_on_star:
                    break
            else:
                cause = "ALLOTTED_TIMEOUT" if limit == joined_at + request.time_limit else cause
        except CallEnded:
            hung_up = True
        finally:
            if request.record is not None:
                self._write_wav(request.record, joined_at, talking=True)
        results[request.legs[number].uuid] = LegResult(True, cause, 200)
        return finished("LOSE_RACE", joined=number, seconds=int(self.now - joined_at + _MOMENT), hung_up=hung_up)

    def _until_record_ends(self, request: RecordRequest, began: float) -> float:
        """Return how many seconds it goes on for, if nothing comes in between."""
        left = began + request.maximum_seconds - self.now
        if request.silence_seconds is None:
            return left
        heard_last = max([began, *(min(end, self.now) for start, end in self._talks if start <= self.now)])
        return min(left, heard_last + request.silence_seconds - self.now)

    def _write_wav(self, path: Path, began: float, *, talking: bool = False) -> None:
        """Write what was said from a moment on until now: a tone for speech, zeros for silence."""
        frames = bytearray(2 * round((self.now - began) * RATE))
        self.written.append(len(frames) / 2 / RATE)
        spoken = [(began, self.now)] if talking else self._talks
        for start, end in spoken:
            first = max(0, round((start - began) * RATE))
            last = min(len(frames) // 2, round((end - began) * RATE))
            if last > first:
                frames[2 * first : 2 * last] = b"\x00\x20\x00\xe0" * ((last - first) // 2) + b"\x00\x20" * (
                    (last - first) % 2
                )
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(bytes(frames))

    def _begin(self, what: str) -> None:
        self._check()
        if what in self.failing:
            raise MediaServerError(f"{what}: refused")
        self.done.append(what)

    def _check(self) -> None:
        if self.cause is not None:
            raise CallEnded(self.cause)

    @contextlib.contextmanager
    def _exclusively(self, what: str) -> Any:
        """Fail when two things that a channel cannot do at once are asked of it: a fault of the product's."""
        assert self._busy is None, f"{what} while {self._busy}"
        self._busy = what
        try:
            yield
        finally:
            self._busy = None

    async def _pass(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            CallEnded: when the caller is gone meanwhile.

        """
        await self._while_up(asyncio.Event().wait(), max(seconds, 0.0))

    async def _while_up(self, work: Coroutine[Any, Any, T], seconds: float | None) -> T | None:
        """Return what some work returns, or None after some seconds of the call."""
        task = asyncio.ensure_future(work)
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            timeout = None if seconds is None else seconds * self.pace
            await asyncio.wait({task, ended}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            self._check()
            return task.result() if task.done() else None
        finally:
            task.cancel()
            ended.cancel()
