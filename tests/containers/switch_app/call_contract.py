"""What every Call does, whichever media server is behind it.

Whoever has a media server makes a class of `CallContract` with a fixture `world`, and pytest runs all of it there. A
second below is short enough to wait for and long enough for a busy machine.
"""

import asyncio
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import pytest

from switch_app.call import (
    FRAME_BYTES,
    AudioFile,
    Beep,
    Call,
    DialRequest,
    Leg,
    LegResult,
    RecordRequest,
    Rejection,
    Silence,
    Track,
)
from switch_app.errors import CallEnded

HEADERS = {"X-Somleng-CallSid": "9802a301-aed5-41c8-b662-e3d3180a3eb4"}


_TONE = b"\x00\x20\x00\x20\x00\xe0\x00\xe0" * (FRAME_BYTES // 8)


def _is_loud(frame: bytes) -> bool:
    samples = [int.from_bytes(frame[at : at + 2], "little", signed=True) for at in range(0, len(frame), 2)]
    return max(abs(sample) for sample in samples) > 2000


class World(Protocol):
    """A media server, with a caller and callees that a test leads.

    Attributes:
        second: seconds of the clock that a second of a call takes: 1.0 for a real one.
        slack: seconds of the clock by which something may be late.

    """

    second: float
    slack: float

    async def call(self) -> Call:
        """Return a call that has just come in and is not answered."""
        ...

    async def press(self, call: Call, digits: str) -> None:
        """Have the caller press keys; they have arrived when this returns."""
        ...

    async def talk(self, call: Call, seconds: float) -> None:
        """Have the caller speak from now on; it returns at once."""
        ...

    async def hang_up(self, call: Call) -> None:
        """Have the caller hang up."""
        ...

    def audio(self, seconds: float) -> AudioFile:
        """Return music of some length."""
        ...

    def leg(self, kind: str) -> Leg:
        """Return a leg to somebody who `answers` after a second and stays, `answers and leaves` (2 seconds of talk), is
        `busy`, `rings` and never answers, or is `unreachable` for a channel."""
        ...

    async def legs_there_are(self) -> int:
        """Return how many dialled legs there are at this moment."""
        ...

    async def hears_sound(self, call: Call) -> bool:
        """Whether the caller hears more than silence at this moment."""
        ...


class CallContract:
    """The contract. Times are in seconds of the call."""

    async def test_a_call_is_answered_once_and_stays_so(self, world: World) -> None:
        call = await world.call()
        assert not call.is_answered
        await call.progress({"record_cdr": "true"}, HEADERS)
        assert not call.is_answered
        await call.answer(HEADERS)
        assert call.is_answered
        await call.answer(HEADERS)
        await call.hangup()

    @pytest.mark.parametrize("rejection", list(Rejection))
    async def test_a_rejected_call_is_over(self, world: World, rejection: Rejection) -> None:
        call = await world.call()
        await call.reject(rejection, HEADERS)
        await asyncio.wait_for(call.wait_until_ended(), 5)
        with pytest.raises(CallEnded):
            await call.answer(HEADERS)

    async def test_hanging_up_ends_a_call(self, world: World) -> None:
        call = await self._answered(world)
        await call.hangup()
        assert await asyncio.wait_for(call.wait_until_ended(), 5) == "NORMAL_CLEARING"

    @pytest.mark.parametrize("what", ["answer", "play", "send_digits", "next_digit", "record", "dial", "hangup"])
    async def test_nothing_can_be_done_on_a_call_that_is_gone(self, world: World, what: str, tmp_path: Path) -> None:
        call = await self._answered(world)
        await world.hang_up(call)
        await asyncio.wait_for(call.wait_until_ended(), 5)
        leg, unreached = world.leg("answers"), []
        acts: dict[str, Callable[[], Awaitable[object]]] = {
            "answer": lambda: call.answer(HEADERS),
            "play": lambda: call.play([Silence(1)]),
            "send_digits": lambda: call.send_digits("1"),
            "next_digit": lambda: call.next_digit(1),
            "record": lambda: call.record(RecordRequest(tmp_path / "a.wav", 5, None, "")),
            "dial": lambda: call.dial(DialRequest([leg], 5, 5, unreached=lambda leg, _: unreached.append(leg))),
            "hangup": call.hangup,
        }
        with pytest.raises(CallEnded):
            await asyncio.wait_for(acts[what](), 5)
        assert unreached == ([leg] if what == "dial" else [])

    async def test_prompts_are_played_one_after_the_other_to_the_end(self, world: World) -> None:
        call = await self._answered(world)
        took = await self._time(world, call.play([world.audio(1), Silence(1), Beep()]))
        assert took >= 2 - 0.1
        await call.hangup()

    async def test_a_prompt_that_is_not_there_is_skipped(self, world: World, tmp_path: Path) -> None:
        call = await self._answered(world)
        took = await self._time(world, call.play([AudioFile(tmp_path / "none.wav"), world.audio(1)]))
        assert took >= 1 - 0.1
        await call.hangup()

    async def test_playing_stops_when_it_is_cancelled_and_the_next_may_be_played(self, world: World) -> None:
        call = await self._answered(world)
        await self._cancel_after(world, 0.5, call.play([Silence(30)]))
        assert await self._time(world, call.play([Silence(0.5)])) < 0.5 * 10 + world.slack / world.second
        await call.hangup()

    @pytest.mark.parametrize("what", ["play", "next_digit"])
    async def test_a_caller_who_leaves_ends_what_goes_on(self, world: World, what: str) -> None:
        call = await self._answered(world)
        work = asyncio.ensure_future(call.play([Silence(30)]) if what == "play" else call.next_digit(None))
        await asyncio.sleep(0.3 * world.second)
        await world.hang_up(call)
        with pytest.raises(CallEnded):
            await asyncio.wait_for(work, 5)

    async def test_keys_come_in_their_order_and_wait_to_be_asked_for(self, world: World) -> None:
        call = await self._answered(world)
        await world.press(call, "12#")
        assert [await call.next_digit(2) for _ in range(3)] == ["1", "2", "#"]
        assert await call.next_digit(0.3) is None
        await call.hangup()

    async def test_forgotten_keys_are_gone(self, world: World) -> None:
        call = await self._answered(world)
        await world.press(call, "1")
        call.discard_digits()
        await world.press(call, "2")
        assert await call.next_digit(2) == "2"
        await call.hangup()

    async def test_a_key_is_waited_for_while_something_is_played(self, world: World) -> None:
        call = await self._answered(world)
        playing = asyncio.ensure_future(call.play([Silence(30)]))
        await asyncio.sleep(0.2 * world.second)
        await world.press(call, "5")
        assert await call.next_digit(2) == "5"
        assert not playing.done()
        playing.cancel()
        await asyncio.wait({playing}, timeout=5)
        await call.hangup()

    async def test_waiting_for_a_key_may_be_cancelled_and_loses_none(self, world: World) -> None:
        call = await self._answered(world)
        await self._cancel_after(world, 0.2, call.next_digit(None))
        await world.press(call, "7")
        waiting = asyncio.ensure_future(call.next_digit(None))
        waiting.cancel()
        await asyncio.wait({waiting})
        assert await call.next_digit(2) == "7"
        await call.hangup()

    async def test_a_key_ends_a_recording(self, world: World, tmp_path: Path) -> None:
        call = await self._answered(world)
        recording = asyncio.ensure_future(call.record(RecordRequest(tmp_path / "a.wav", 30, None, "1#")))
        await asyncio.sleep(1 * world.second)
        await world.press(call, "5#")
        recorded = await asyncio.wait_for(recording, 5)
        assert (recorded.digit, recorded.hung_up) == ("#", False)
        assert _wav_seconds(recorded.path) == pytest.approx(1, abs=0.5 + world.slack / world.second)
        await call.hangup()

    async def test_silence_ends_a_recording(self, world: World, tmp_path: Path) -> None:
        call = await self._answered(world)
        await world.talk(call, 1)
        recorded = await asyncio.wait_for(call.record(RecordRequest(tmp_path / "a.wav", 30, 2, "")), 10)
        assert (recorded.digit, recorded.hung_up) == (None, False)
        assert _wav_seconds(recorded.path) == pytest.approx(3, abs=1 + world.slack / world.second)
        await call.hangup()

    async def test_a_recording_ends_at_its_limit(self, world: World, tmp_path: Path) -> None:
        call = await self._answered(world)
        recorded = await asyncio.wait_for(call.record(RecordRequest(tmp_path / "a.wav", 1, None, "")), 5)
        assert recorded.digit is None
        assert _wav_seconds(recorded.path) == pytest.approx(1, abs=0.5 + world.slack / world.second)
        await call.hangup()

    async def test_a_recording_is_whole_when_the_caller_leaves(self, world: World, tmp_path: Path) -> None:
        call = await self._answered(world)
        recording = asyncio.ensure_future(call.record(RecordRequest(tmp_path / "a.wav", 30, None, "")))
        await asyncio.sleep(1 * world.second)
        await world.hang_up(call)
        recorded = await asyncio.wait_for(recording, 5)
        assert recorded.hung_up
        assert _wav_seconds(recorded.path) == pytest.approx(1, abs=0.5 + world.slack / world.second)

    async def test_a_recording_is_whole_when_it_is_cancelled(self, world: World, tmp_path: Path) -> None:
        call = await self._answered(world)
        await self._cancel_after(world, 1, call.record(RecordRequest(tmp_path / "a.wav", 30, None, "")))
        assert _wav_seconds(tmp_path / "a.wav") == pytest.approx(1, abs=0.5 + world.slack / world.second)
        await call.play([Silence(0.1)])
        await call.hangup()

    async def test_the_first_who_answers_is_joined_and_the_others_are_let_go(self, world: World) -> None:
        call = await self._answered(world)
        legs = [world.leg("rings"), world.leg("answers and leaves")]
        result = await asyncio.wait_for(call.dial(DialRequest(legs, 10, 20)), 20)
        assert (result.joined, result.hung_up) == (1, False)
        assert result.seconds == pytest.approx(2, abs=1)
        assert result.legs[1].sip_status == 200
        assert await world.legs_there_are() == 0
        await call.play([Silence(0.1)])
        await call.hangup()

    async def test_who_is_busy_says_so(self, world: World) -> None:
        call = await self._answered(world)
        result = await asyncio.wait_for(call.dial(DialRequest([world.leg("busy")], 10, 20)), 10)
        assert (result.joined, result.legs) == (None, [LegResult(True, "USER_BUSY", 486)])
        await call.hangup()

    async def test_who_does_not_answer_in_time_is_let_go(self, world: World) -> None:
        call = await self._answered(world)
        took = await self._time(world, self._rings_for(call, world.leg("rings"), 2))
        assert took == pytest.approx(2, abs=1 + world.slack / world.second)
        assert await world.legs_there_are() == 0
        await call.hangup()

    async def test_a_leg_without_a_channel_is_told_once(self, world: World) -> None:
        call = await self._answered(world)
        leg, told = world.leg("unreachable"), []
        request = DialRequest(
            [leg, world.leg("busy")], 10, 20, unreached=lambda leg, result: told.append((leg, result))
        )
        result = await asyncio.wait_for(call.dial(request), 10)
        assert [result.reached for result in result.legs] == [False, True]
        assert told == [(leg, result.legs[0])]
        await call.hangup()

    async def test_a_caller_who_leaves_while_it_rings_leaves_no_leg(self, world: World) -> None:
        call = await self._answered(world)
        dialling = asyncio.ensure_future(call.dial(DialRequest([world.leg("rings")], 30, 20)))
        await asyncio.sleep(0.7 * world.second)
        assert await world.legs_there_are() == 1
        await world.hang_up(call)
        result = await asyncio.wait_for(dialling, 5)
        assert (result.joined, result.hung_up) == (None, True)
        assert await world.legs_there_are() == 0

    async def test_a_caller_who_leaves_while_they_talk_ends_the_other_leg(self, world: World) -> None:
        call = await self._answered(world)
        dialling = asyncio.ensure_future(call.dial(DialRequest([world.leg("answers")], 30, 20)))
        await asyncio.sleep(2.5 * world.second)
        await world.hang_up(call)
        result = await asyncio.wait_for(dialling, 5)
        assert (result.joined, result.hung_up) == (0, True)
        assert await world.legs_there_are() == 0

    @pytest.mark.parametrize("seconds", [0.5, 2.0], ids=["ringing", "talking"])
    async def test_a_dial_that_is_cancelled_leaves_no_leg(self, world: World, seconds: float) -> None:
        call = await self._answered(world)
        await self._cancel_after(world, seconds, call.dial(DialRequest([world.leg("answers")], 30, 20)))
        assert await world.legs_there_are() == 0
        await call.play([Silence(0.1)])
        await call.hangup()

    async def test_talk_ends_at_its_limit(self, world: World) -> None:
        call = await self._answered(world)
        result = await asyncio.wait_for(call.dial(DialRequest([world.leg("answers")], 10, 1)), 10)
        assert (result.joined, result.hung_up) == (0, False)
        assert result.seconds <= 2
        await call.hangup()

    @pytest.mark.parametrize("hangup_on_star", [True, False])
    async def test_a_star_ends_the_talk_if_it_is_to(self, world: World, hangup_on_star: bool) -> None:
        call = await self._answered(world)
        request = DialRequest([world.leg("answers")], 10, 4, hangup_on_star=hangup_on_star)
        dialling = asyncio.ensure_future(call.dial(request))
        await asyncio.sleep(2 * world.second)
        await world.press(call, "*")
        result = await asyncio.wait_for(dialling, 10)
        assert result.joined == 0
        assert (result.seconds < 3) is hangup_on_star
        await call.hangup()

    async def test_both_are_recorded_while_they_talk(self, world: World, tmp_path: Path) -> None:
        call = await self._answered(world)
        request = DialRequest([world.leg("answers and leaves")], 10, 20, record=tmp_path / "a.wav")
        await asyncio.wait_for(call.dial(request), 20)
        assert _wav_seconds(tmp_path / "a.wav") == pytest.approx(2, abs=1)
        await call.hangup()

    async def test_a_caller_who_is_not_answered_is_when_the_legs_are_joined(self, world: World) -> None:
        call = await world.call()
        busy = await asyncio.wait_for(call.dial(DialRequest([world.leg("busy")], 10, 20, answer_headers=HEADERS)), 10)
        assert busy.joined is None
        assert not call.is_answered
        request = DialRequest([world.leg("answers and leaves")], 10, 20, answer_headers=HEADERS)
        result = await asyncio.wait_for(call.dial(request), 20)
        assert result.joined == 0
        assert call.is_answered
        await call.hangup()

    async def test_its_audio_may_be_taken_over_both_ways(self, world: World) -> None:
        call = await self._answered(world)
        heard: list[bytes] = []
        say: list[bytes] = []
        async with call.media(heard.append, lambda is_due: say[0] if say else None):
            await asyncio.sleep(1 * world.second)
            assert len(heard) == pytest.approx(50, abs=10 + 50 * world.slack / world.second)
            assert {len(frame) for frame in heard} == {FRAME_BYTES}
            assert not any(_is_loud(frame) for frame in heard)
            assert not await world.hears_sound(call)
            await world.talk(call, 0.5)
            say.append(_TONE)
            await asyncio.sleep(0.5 * world.second)
            assert await world.hears_sound(call)
            say.clear()
            await asyncio.sleep(0.5 * world.second + world.slack)
            assert not await world.hears_sound(call)
        assert 0.3 * 50 <= sum(_is_loud(frame) for frame in heard) <= 0.7 * 50 + 50 * world.slack / world.second
        await call.hangup()

    async def test_its_audio_may_be_taken_over_again_and_again_and_between_prompts(self, world: World) -> None:
        call = await self._answered(world)
        for _ in range(2):
            heard: list[bytes] = []
            async with call.media(heard.append, lambda is_due: _TONE):
                await asyncio.sleep(0.3 * world.second + world.slack)
                assert await world.hears_sound(call)
            assert heard
            count = len(heard)
            await call.play([Silence(0.7)])
            assert not await world.hears_sound(call)
            assert len(heard) == count
        await call.hangup()

    async def test_keys_come_while_its_audio_is_taken_over(self, world: World) -> None:
        call = await self._answered(world)
        async with call.media(lambda frame: None, lambda is_due: None):
            await world.press(call, "5")
            assert await call.next_digit(2) == "5"
        await call.hangup()

    async def test_a_caller_who_leaves_ends_its_audio(self, world: World) -> None:
        call = await self._answered(world)
        heard: list[bytes] = []
        async with call.media(heard.append, lambda is_due: _TONE):
            await world.hang_up(call)
            await asyncio.wait_for(call.wait_until_ended(), 5)
        with pytest.raises(CallEnded):
            async with call.media(heard.append, lambda is_due: None):
                pass
        with pytest.raises(CallEnded):
            async with call.tap([Track.INBOUND], lambda track, frame: None):
                pass

    @pytest.mark.parametrize("tracks", [[Track.INBOUND], [Track.OUTBOUND], [Track.INBOUND, Track.OUTBOUND]])
    async def test_it_may_be_listened_to_whatever_is_done_on_it(self, world: World, tracks: list[Track]) -> None:
        call = await self._answered(world)
        heard: dict[Track, list[bytes]] = {track: [] for track in Track}
        async with call.tap(tracks, lambda track, frame: heard[track].append(frame)):
            await call.play([Silence(0.5)])
            await world.talk(call, 1)
            await call.play([world.audio(1)])
            await call.play([Silence(0.3)])
        counts = {track: len(frames) for track, frames in heard.items()}
        await call.play([Silence(0.2)])
        assert counts == {track: len(frames) for track, frames in heard.items()}
        for track in Track:
            if track in tracks:
                loud = sum(_is_loud(frame) for frame in heard[track])
                assert counts[track] >= 1.5 * 50
                assert 0.5 * 50 <= loud <= counts[track] - 0.5 * 50
            else:
                assert counts[track] == 0
        await call.hangup()

    async def test_several_may_listen_to_it(self, world: World) -> None:
        call = await self._answered(world)
        first: list[bytes] = []
        second: list[bytes] = []
        async with call.tap([Track.OUTBOUND], lambda track, frame: first.append(frame)):
            async with (
                call.tap([Track.OUTBOUND], lambda track, frame: second.append(frame)),
                call.media(lambda frame: None, lambda is_due: _TONE),
            ):
                await asyncio.sleep(0.5 * world.second)
            count = len(second)
            await call.play([Silence(0.3)])
            assert len(second) == count
        assert any(_is_loud(frame) for frame in first)
        assert any(_is_loud(frame) for frame in second)
        assert len(first) > len(second)
        await call.hangup()

    async def _answered(self, world: World) -> Call:
        call = await world.call()
        await call.answer(HEADERS)
        return call

    async def _rings_for(self, call: Call, leg: Leg, timeout: int) -> None:
        result = await call.dial(DialRequest([leg], timeout, 20))
        assert (result.joined, result.hung_up) == (None, False)

    async def _time(self, world: World, work: Awaitable[object]) -> float:
        """Return how many seconds of the call some work takes."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.wait_for(work, 20)
        return (loop.time() - began) / world.second

    async def _cancel_after(self, world: World, seconds: float, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(work)
        await asyncio.sleep(seconds * world.second)
        assert not task.done()
        task.cancel()
        await asyncio.wait({task}, timeout=5)
        assert task.cancelled()


def _wav_seconds(path: Path) -> float:
    with wave.open(str(path), "rb") as file:
        assert file.getnchannels() == 1
        return file.getnframes() / file.getframerate()
