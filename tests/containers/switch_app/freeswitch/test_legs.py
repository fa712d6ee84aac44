"""What is told of legs: each event once, in order, and how a dialled one ended."""

import pytest

from switch_app.call import LegResult
from switch_app.freeswitch.first_legs import FirstLegs
from switch_app.freeswitch.legs import DialledLeg, DialledLegs
from switch_app.freeswitch.messages import Event
from switch_app.telephony import CallEvent


def event(name: str, uuid: str = "1", **headers: str) -> Event:
    return Event({"Event-Name": name, "Unique-ID": uuid, **{key.replace("__", "-"): headers[key] for key in headers}})


def told(*events: Event) -> list[CallEvent]:
    notes: list[CallEvent] = []
    legs = FirstLegs(notes.append)
    legs.add("1")
    for each in events:
        legs.take(each)
    return notes


def test_each_event_of_a_call_out_is_told_once() -> None:
    out = {"Call__Direction": "outbound"}
    notes = told(
        event("CHANNEL_CREATE"),
        event("CHANNEL_PROGRESS", **out),
        event("CHANNEL_PROGRESS_MEDIA", **out),
        event("CHANNEL_ANSWER", variable_answer_epoch="1607752961", variable_sip_term_status="200"),
        event("CHANNEL_ANSWER"),
        event("CHANNEL_HANGUP_COMPLETE", variable_sip_term_status="200", variable_answer_epoch="1607752961"),
        event("CHANNEL_HANGUP_COMPLETE"),
    )
    assert [note.kind.value for note in notes] == ["ringing", "answered", "completed"]
    assert notes[2].variables == {"sip_term_status": "200", "answer_epoch": "1607752961"}


def test_a_call_in_is_not_told_to_ring() -> None:
    assert told(event("CHANNEL_PROGRESS_MEDIA", Call__Direction="inbound")) == []


def test_what_is_late_is_not_told() -> None:
    assert [
        note.kind.value for note in told(event("CHANNEL_ANSWER"), event("CHANNEL_PROGRESS", Call__Direction="outbound"))
    ] == ["answered"]


def test_blank_variables_and_a_time_that_never_was_are_left_out() -> None:
    (note,) = told(event("CHANNEL_HANGUP_COMPLETE", variable_answer_epoch="0", variable_sip_term_status=""))
    assert note.variables == {}


def test_other_channels_are_not_told_of() -> None:
    assert told(event("CHANNEL_ANSWER", "2")) == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"variable_sip_hangup_disposition": "recv_refuse", "variable_sip_invite_failure_status": "486"}, 486),
        ({"variable_sip_hangup_disposition": "send_cancel", "variable_sip_term_status": "480"}, None),
        ({}, None),
    ],
)
def test_the_callees_answer_is_not_what_the_record_says_for_want_of_one(
    headers: dict[str, str], status: int | None
) -> None:
    untold: list[DialledLeg] = []
    legs = DialledLegs(untold.append)
    leg = legs.watch("1")
    legs.take(event("CHANNEL_HANGUP_COMPLETE", Hangup__Cause="USER_BUSY", **headers))
    assert leg.result() == LegResult(True, "USER_BUSY", status)
    assert leg.completed.is_set()


def test_a_bridge_is_told_by_the_first_leg() -> None:
    untold: list[DialledLeg] = []
    legs = DialledLegs(untold.append)
    leg = legs.watch("b")
    legs.take(event("CHANNEL_BRIDGE", "a", Bridge__B__Unique__ID="b"))
    assert leg.bridged.is_set()
    legs.take(event("CHANNEL_ANSWER", "b"))
    legs.take(event("CHANNEL_HANGUP_COMPLETE", "b", variable_billsec="12", Hangup__Cause="NORMAL_CLEARING"))
    assert (leg.seconds, leg.result()) == (12, LegResult(True, "NORMAL_CLEARING", 200))


def test_a_leg_of_which_nothing_came_was_not_reached() -> None:
    untold: list[DialledLeg] = []
    legs = DialledLegs(untold.append)
    leg = legs.watch("1")
    legs.lose()
    assert leg.completed.is_set()
    assert not leg.result().reached
    legs.forget(leg)
    assert untold == [], "nobody but its dial knows of it"


def test_a_leg_whose_end_was_not_told_is_to_be_accounted_for_once() -> None:
    untold: list[DialledLeg] = []
    legs = DialledLegs(untold.append)
    legs.core = "core"
    leg = legs.watch("1")
    legs.take(event("CHANNEL_CREATE", Event__Date__Timestamp="1607752961123456"))
    legs.take(event("CHANNEL_ANSWER", Event__Date__Timestamp="1607752963999999"))
    legs.lose()
    legs.forget(leg)
    legs.forget(leg)
    assert untold == [leg]
    assert (leg.core, leg.began, leg.answered_at) == ("core", 1607752961, 1607752963)


def test_a_leg_whose_end_was_told_needs_no_account() -> None:
    untold: list[DialledLeg] = []
    legs = DialledLegs(untold.append)
    leg = legs.watch("1")
    legs.take(event("CHANNEL_CREATE"))
    legs.take(event("CHANNEL_HANGUP_COMPLETE"))
    legs.forget(leg)
    assert untold == []
