"""The order of notifications, and what becomes of them when the platform does not listen."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switch_app.backoff import Backoff
from switch_app.call_platform.client import PlatformClient
from switch_app.call_platform.notifier import Notifier
from switch_app.call_platform.platform import CallPlatform
from switch_app.errors import PlatformRefused, PlatformUnavailable
from switch_app.telephony import CallEvent, CallEventKind
from tests.fakes.call_platform import CallPlatform as FakePlatform

SHORT = Backoff(first=0.005, longest=0.01)
LONG = Backoff(first=60.0, longest=60.0)


class Listener:
    """What was told, by key, and how often it does not listen first."""

    def __init__(self, failures: Callable[[str, str], int] = lambda key, name: 0) -> None:
        self.told: list[tuple[str, str]] = []
        self.attempts: list[tuple[str, str]] = []
        self._failures = failures
        self._left: dict[tuple[str, str], int] = {}

    def put(self, notifier: Notifier, key: str, name: str) -> None:
        async def send() -> None:
            self.attempts.append((key, name))
            await asyncio.sleep(0)
            left = self._left.setdefault((key, name), self._failures(key, name))
            if left:
                self._left[key, name] = left - 1
                raise PlatformUnavailable("not now")
            self.told.append((key, name))

        notifier.put(key, name, send)

    def of(self, key: str) -> list[str]:
        return [name for told_key, name in self.told if told_key == key]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2)), max_size=20))
def test_order_is_kept_whatever_fails(script: list[tuple[str, int]]) -> None:
    async def run() -> None:
        failures = {(key, str(number)): count for number, (key, count) in enumerate(script)}
        listener = Listener(lambda key, name: failures[key, name])
        notifier = Notifier(workers=3, backoff=Backoff(first=0.0001, longest=0.0002))
        notifier.start()
        for number, (key, _) in enumerate(script):
            listener.put(notifier, key, str(number))
        await notifier.close(5)
        for key in "abc":
            assert listener.of(key) == [str(number) for number, (other, _) in enumerate(script) if other == key]
        assert len(listener.attempts) == len(script) + sum(failures.values())
        assert len(notifier) == 0

    asyncio.run(run())


async def test_a_call_that_waits_does_not_hold_up_another() -> None:
    listener = Listener(lambda key, name: 1 if (key, name) == ("slow", "1") else 0)
    notifier = Notifier(workers=1, backoff=LONG)
    notifier.start()
    listener.put(notifier, "slow", "1")
    listener.put(notifier, "slow", "2")
    for number in range(5):
        listener.put(notifier, "quick", str(number))
    await _until(lambda: len(listener.told) == 5)
    assert listener.of("slow") == []
    await notifier.close(5)  # what waits is tried at once then
    assert listener.of("slow") == ["1", "2"]


async def test_the_oldest_is_dropped_when_there_is_no_room() -> None:
    counted: list[str] = []
    listener = Listener(lambda key, name: 1_000)
    notifier = Notifier(capacity=3, workers=1, backoff=LONG, count=counted.append)
    notifier.start()
    for number in range(3):
        listener.put(notifier, "a", str(number))
    await _until(lambda: len(listener.attempts) == 1)
    await asyncio.sleep(0.01)
    for number in range(3, 5):
        listener.put(notifier, "b", str(number))
    await _until(lambda: ("a", "2") in listener.attempts)
    assert len(notifier) == 3
    assert counted == ["NotificationDropped"] * 2
    assert listener.attempts[0] == ("a", "0")
    await notifier.close(0.01)
    assert counted == ["NotificationDropped"] * 5


async def test_a_key_whose_every_notification_was_dropped_can_come_again() -> None:
    listener = Listener()
    notifier = Notifier(capacity=1)
    listener.put(notifier, "a", "1")
    listener.put(notifier, "b", "2")
    notifier.start()
    await _until(lambda: listener.told == [("b", "2")])
    listener.put(notifier, "a", "3")
    await notifier.close(5)
    assert listener.told == [("b", "2"), ("a", "3")]


@pytest.mark.parametrize(
    ("error", "metric"), [(PlatformRefused("no", 422), "NotificationRefused"), (KeyError(), "NotificationDropped")]
)
async def test_what_cannot_be_taken_is_given_up_and_the_next_goes_on(error: Exception, metric: str) -> None:
    counted: list[str] = []
    listener = Listener()
    notifier = Notifier(workers=1, count=counted.append)

    async def fail() -> None:
        raise error

    notifier.put("a", "1", fail)
    listener.put(notifier, "a", "2")
    notifier.start()
    await notifier.close(5)
    assert listener.told == [("a", "2")]
    assert counted == [metric]


async def test_nothing_is_taken_once_it_is_closed() -> None:
    counted: list[str] = []
    listener = Listener()
    notifier = Notifier(count=counted.append)
    notifier.start()
    await notifier.close(1)
    listener.put(notifier, "a", "1")
    assert counted == ["NotificationDropped"]


async def test_a_calls_events_reach_a_platform_that_stumbles_in_their_order(
    client: PlatformClient, fake: FakePlatform
) -> None:
    notifier = Notifier(backoff=SHORT)
    platform = CallPlatform(client, notifier)
    notifier.start()
    fake.answers = [500] * 7
    for kind in CallEventKind:
        platform.note_call_event(CallEvent(kind, "channel", {}))
    await notifier.close(10)
    assert fake.calls["call"].events == ["ringing", "answered", "completed"]


async def test_speech_is_never_charged_twice(client: PlatformClient, fake: FakePlatform) -> None:
    counted: list[str] = []
    notifier = Notifier(backoff=SHORT, count=counted.append)
    platform = CallPlatform(client, notifier)
    notifier.start()
    fake.lost_answers = 1
    fake.answers = [503] * 5
    platform.note_speech("call", "Basic.Kal", 5)
    platform.note_speech("call", "Basic.Kal", 6)
    await notifier.close(10)
    assert [event["num_chars"] for event in fake.tts_events] == [5, 6]
    assert counted == ["NotificationDropped"]


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)
