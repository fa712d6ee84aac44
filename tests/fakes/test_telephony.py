"""What the fake media server tells, and when."""

import asyncio

import pytest

from switch_app.call import Call, Leg, Silence
from switch_app.errors import CallEnded, MediaServerError
from switch_app.telephony import CallEvent, Telephony
from tests.fakes.call import Callee
from tests.fakes.telephony import FakeTelephony
from tests.support.virtual_time import run

LEG = Leg("uuid-1", "85516701721@test", "test", "1000", "sid-1")


class Handler:
    """Answers, plays and lets go."""

    def __init__(self, seconds: float = 5.0) -> None:
        self.seconds = seconds
        self.events: list[CallEvent] = []

    async def handle(self, call: Call) -> None:
        await call.answer({})
        await call.play([Silence(self.seconds)])

    def note(self, event: CallEvent) -> None:
        self.events.append(event)


def originated(callee: Callee, *, hangup_after: float | None = None) -> tuple[list[str], list[str | None], list[str]]:
    async def call() -> tuple[list[str], list[str | None], list[str]]:
        handler = Handler()
        fake = FakeTelephony(handler, pace=1.0, callees={LEG.address: callee})
        telephony: Telephony = fake
        await telephony.originate(LEG, 30)
        if hangup_after is not None:
            await asyncio.sleep(hangup_after)
            assert await telephony.hangup(LEG.uuid)
        await fake.settle()
        assert not await telephony.hangup(LEG.uuid)
        kinds = [event.kind.value for event in handler.events]
        statuses = [event.variables.get("sip_term_status") for event in handler.events]
        return kinds, statuses, [type(failure).__name__ for failure in fake.failures]

    return run(call())


def test_an_originated_call_rings_is_answered_and_ends() -> None:
    assert originated(Callee()) == (["ringing", "answered", "completed"], [None, None, "200"], [])


def test_a_callee_who_leaves_ends_the_call() -> None:
    kinds, _, failures = originated(Callee(talks_for=1.0))
    assert kinds == ["ringing", "answered", "completed"]
    assert failures == [CallEnded.__name__]


@pytest.mark.parametrize(("callee", "status"), [(Callee.busy(), "486"), (Callee.silent(), "487")])
def test_a_callee_who_does_not_answer_is_never_handed_over(callee: Callee, status: str) -> None:
    assert originated(callee) == (["ringing", "completed"], [None, status], [])


@pytest.mark.parametrize("after", [0.0, 0.5, 3.0])
def test_a_call_can_be_ended_from_outside_at_any_moment(after: float) -> None:
    kinds, _, _ = originated(Callee(), hangup_after=after)
    assert kinds[-1] == "completed"
    assert ("answered" in kinds) is (after > 1)


def test_a_call_that_comes_is_handed_over() -> None:
    async def call() -> list[str]:
        handler = Handler()
        fake = FakeTelephony(handler, pace=1.0)
        coming = fake.come({"sip_from_host": "10.0.0.1"})
        await fake.settle()
        assert coming.answer_headers == {}
        return [event.kind.value for event in handler.events]

    assert run(call()) == ["answered", "completed"]


def test_a_media_server_that_is_down_takes_and_makes_no_call() -> None:
    async def call() -> None:
        fake = FakeTelephony(Handler(), down="no media server")
        for act in (fake.check(), fake.originate(LEG, 30)):
            with pytest.raises(MediaServerError, match="no media server"):
                await act
        fake.down = None
        await fake.refuse_new_calls()
        with pytest.raises(MediaServerError):
            fake.come({})

    run(call())
