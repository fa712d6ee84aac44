"""What becomes of calls: events, ends, and mistakes."""

import asyncio

import pytest

from switch_app.errors import CallEnded, MediaServerError, PlatformRefused
from switch_app.telephony import CallEvent, CallEventKind
from tests.containers.switch_app.switch import CALL, CALLEE, INBOUND, Switch, running_switch
from tests.fakes.call import Callee, FakeCall


async def originate(switch: Switch) -> str:
    _, body = await switch.request("POST", "/calls", json=dict(CALL))
    return str(body["id"])


async def test_tells_all_that_happens_in_its_order_with_its_variables(switch: Switch) -> None:
    switch.telephony.callees[CALLEE] = Callee(answers_after=1)
    switch.customer.documents[CALL["voice_url"]] = b"<Response/>"
    channel = await originate(switch)
    await switch.until(lambda: len(switch.live_calls) == 0 and len(switch.register.events) == 3)
    assert [(str(event.kind), dict(event.variables)) for event in switch.register.events] == [
        ("ringing", {}),
        ("answered", {"answer_epoch": "1607752961"}),
        ("completed", {"sip_term_status": "200", "answer_epoch": "1607752961"}),
    ]
    assert {event.uuid for event in switch.register.events} == {channel}


@pytest.mark.parametrize(
    ("callee", "status"),
    [(Callee.busy(), "486"), (Callee.refusing(603, "CALL_REJECTED"), "603"), (Callee.silent(), "487")],
)
async def test_tells_of_the_end_of_a_call_that_nobody_answered(switch: Switch, callee: Callee, status: str) -> None:
    switch.telephony.callees[CALLEE] = callee
    channel = await originate(switch)
    await switch.until(lambda: len(switch.live_calls) == 0)
    assert switch.register.kinds(channel) == ["ringing", "completed"]
    assert switch.register.events[-1].variables == {"sip_term_status": status}
    assert switch.customer.asked == []


async def test_tells_of_an_inbound_call_that_ends(switch: Switch) -> None:
    call = switch.telephony.come(INBOUND)
    await switch.until(lambda: switch.customer.asked)
    call.end()
    await switch.until(lambda: len(switch.live_calls) == 0)
    assert switch.register.kinds(call.uuid) == ["completed"]


async def test_a_caller_who_leaves_is_not_kept_for_a_slow_server(switch: Switch) -> None:
    switch.customer.patience = 60
    call = switch.telephony.come(INBOUND)
    await switch.until(lambda: switch.customer.asked)
    call.end()
    await switch.until(lambda: len(switch.live_calls) == 0, seconds=2)


@pytest.mark.parametrize("mistake", [RuntimeError("a mistake"), KeyError("x"), AssertionError()])
async def test_a_mistake_ends_one_call_and_no_other(
    switch: Switch, mistake: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    other = switch.telephony.come(INBOUND)
    await switch.until(lambda: switch.customer.asked)
    switch.customer.failure = mistake
    call = switch.telephony.come(INBOUND)
    await switch.until(lambda: call.cause)
    await switch.until(lambda: len(switch.live_calls) == 1)
    assert other.cause is None
    (entry,) = [record for record in caplog.records if record.message == "call failed"]
    assert (entry.call_uuid, entry.call_sid) == (call.uuid, CALL["sid"])  # type: ignore[attr-defined]
    assert switch.register.kinds(call.uuid) == ["completed"]


async def test_what_the_platform_or_the_media_server_refuses_ends_the_call(
    switch: Switch, caplog: pytest.LogCaptureFixture
) -> None:
    for problem in (PlatformRefused("destination is blocked", 422), MediaServerError("no channel")):
        switch.customer.failure = problem
        call = switch.telephony.come(INBOUND)
        await switch.until(lambda call=call: call.cause)
    assert [record.reason for record in caplog.records if record.message == "call cannot go on"] == [  # type: ignore[attr-defined]
        "destination is blocked",
        "no channel",
    ]


async def test_the_media_server_may_fall_silent(switch: Switch, caplog: pytest.LogCaptureFixture) -> None:
    """It ends, and with it the calls; nobody tells of their ends."""
    switch.customer.failure = CallEnded("NORMAL_TEMPORARY_FAILURE")
    await switch.calls.handle(FakeCall("a", INBOUND))
    assert len(switch.live_calls) == 1
    await switch.until(lambda: len(switch.live_calls) == 0)
    assert switch.register.kinds("a") == ["completed"]
    assert "end of a call was not told by the media server" in caplog.messages
    switch.calls.note(CallEvent(CallEventKind.COMPLETED, "a", {}))
    assert switch.register.kinds("a") == ["completed"]


async def test_an_end_is_told_once(switch: Switch) -> None:
    channel = await originate(switch)
    for _ in range(3):
        switch.calls.note(CallEvent(CallEventKind.COMPLETED, channel, {}))
    assert switch.register.kinds(channel) == ["ringing", "completed"]


async def test_calls_that_die_with_the_media_server_get_their_records_here(switch: Switch) -> None:
    switch.telephony.callees[CALLEE] = Callee(answers_after=1)
    switch.customer.patience = 60  # so that it goes on
    answered = await originate(switch)
    await switch.until(lambda: switch.register.kinds(answered) == ["ringing", "answered"])
    arrived = switch.telephony.come(INBOUND)
    await switch.until(lambda: len(switch.customer.asked) == 2)
    for channel in (answered, arrived.uuid):
        switch.telephony.handler.note(CallEvent(CallEventKind.COMPLETED, channel, {}, is_lost=True))
    first, second = switch.records.lost
    assert (first.uuid, first.sid, first.direction, first.answered) == (answered, CALL["sid"], "outbound", 1607752961)
    assert (second.uuid, second.direction, second.answered) == (arrived.uuid, "inbound", None)
    assert switch.register.kinds(answered)[-1] == switch.register.kinds(arrived.uuid)[-1] == "completed"


async def test_events_of_other_channels_are_nobodys(switch: Switch) -> None:
    for kind in CallEventKind:
        switch.calls.note(CallEvent(kind, "b-leg", {}))
    assert switch.register.events == []


async def test_a_call_that_another_app_made_is_ended(switch: Switch, caplog: pytest.LogCaptureFixture) -> None:
    call = switch.telephony.come({"direction": "outbound"})
    await switch.until(lambda: call.cause)
    assert switch.register.inbound == []
    assert "call ended: nobody here made it" in caplog.messages


async def test_a_call_to_a_client_that_is_not_registered_is_completed_and_not_asked_for_again(switch: Switch) -> None:
    switch.routes.problem = PlatformRefused("client user1 is not registered", 404)
    channel = await originate(switch)
    assert await originate(switch) == channel
    assert switch.register.kinds(channel) == ["completed"]
    assert switch.records.unreached == [(CALL["sid"], "NO_ROUTE_DESTINATION", 480)]
    assert len(switch.live_calls) == 0


async def test_a_call_of_which_nothing_is_heard_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    async with running_switch(ring_seconds=1, silence_seconds=0.1) as switch:
        channel = await originate(switch)

        class Deaf:
            """No event comes through any more."""

            handle = switch.calls.handle

            def note(self, event: CallEvent) -> None:
                """Lose it."""

        switch.telephony.handler = Deaf()
        await switch.until(lambda: len(switch.live_calls) == 0)
        assert switch.register.kinds(channel) == ["ringing", "completed"]
        assert "end of a call was not told by the media server" in caplog.messages


async def test_a_call_that_was_answered_is_not_given_up() -> None:
    async with running_switch(ring_seconds=1, silence_seconds=0.1) as switch:
        switch.telephony.callees[CALLEE] = Callee(answers_after=0.5)
        channel = await originate(switch)
        await asyncio.sleep(1.3)
        assert switch.telephony.calls[channel].cause is None
        assert switch.register.kinds(channel) == ["ringing", "answered"]
