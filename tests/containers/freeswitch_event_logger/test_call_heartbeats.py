"""Call heartbeats: sent again until the next one is due, and never in the way of it."""

import asyncio
from collections.abc import Sequence

from freeswitch_event_logger.call_heartbeats import CallHeartbeats
from switch_app.backoff import Backoff
from switch_app.errors import MediaServerError, PlatformRefused, PlatformUnavailable


class Platform:
    """A platform that raises what it is told to, and then listens."""

    def __init__(self, *failures: Exception, seconds: float = 0.0) -> None:
        self.failures, self.seconds = list(failures), seconds
        self.asked = 0
        self.told: list[list[str]] = []

    async def send_call_heartbeats(self, call_ids: Sequence[str]) -> None:
        self.asked += 1
        await asyncio.sleep(self.seconds)
        if self.failures:
            raise self.failures.pop(0)
        self.told.append(list(call_ids))


async def channels() -> Sequence[str]:
    return ["a", "b"]


def make(platform: Platform, interval: float = 1.0) -> tuple[CallHeartbeats, list[str]]:
    counted: list[str] = []
    backoff = Backoff(0.01, 0.02)
    return CallHeartbeats(
        channels, platform, interval, backoff=backoff, fraction=lambda: 0, count=counted.append
    ), counted


async def test_it_is_sent_again_until_it_is_taken() -> None:
    platform = Platform(PlatformUnavailable("503"), PlatformUnavailable("503"))
    heartbeats, counted = make(platform)
    await heartbeats.beat()
    assert (platform.told, platform.asked, counted, heartbeats.problem) == ([["a", "b"]], 3, [], None)


async def test_one_that_is_too_late_gives_way_to_the_next() -> None:
    platform = Platform(seconds=10)
    heartbeats, counted = make(platform, 0.05)
    task = asyncio.create_task(heartbeats.run())
    await asyncio.sleep(0.3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert platform.asked >= 3
    assert platform.told == []
    assert counted == ["CallHeartbeatFailed"] * len(counted)
    assert len(counted) >= 2


async def test_a_refusal_is_told_and_not_repeated() -> None:
    platform = Platform(PlatformRefused("call_ids is missing", 422))
    heartbeats, counted = make(platform)
    await heartbeats.beat()
    assert (platform.asked, counted, heartbeats.problem) == (1, ["CallHeartbeatFailed"], "call_ids is missing")
    await heartbeats.beat()
    assert heartbeats.problem is None


async def test_a_freeswitch_that_is_gone_is_a_problem_until_it_is_back() -> None:
    is_gone = True

    async def some() -> Sequence[str]:
        if is_gone:
            raise MediaServerError("FreeSWITCH is not reached")
        return []

    heartbeats = CallHeartbeats(some, platform := Platform(), 1.0)
    await heartbeats.beat()
    assert heartbeats.problem == "FreeSWITCH is not reached"
    is_gone = False
    await heartbeats.beat()
    assert (heartbeats.problem, platform.asked) == (None, 0)
