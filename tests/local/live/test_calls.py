"""Where a call is, from what gateways list and processes log, in whatever order that is read."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from local.live.calls import Calls, Dialog
from local.live.log_lines import LogLine
from local.live.rows import Call

UUID, SID, CALL_ID = "7a6fb2bd-47ce-42fd-bfa9-8018a186bd88", "5edaabea-11bb-4f60-a942-e6e8a5e4327e", "3-27064@192.0.2.1"
LEG = "11111111-47ce-42fd-bfa9-8018a186bd88"
ADDRESS = "10.0.0.1:5060"


def line(at: int, message: str, uuid: str = UUID, **values: str | int) -> LogLine:
    return LogLine(at, "INFO", "switch_app", message, "", {"call_uuid": uuid, **values})


HANDED = line(2, "call is handed over", sip_call_id=CALL_ID, direction="inbound")
SAYS = line(3, "verb begins", verb="Say", call_sid=SID)
GATHERS = line(4, "verb begins", verb="Gather", call_sid=SID)
ENDS = line(5, "call ended", call_sid=SID, cause="NORMAL_CLEARING")
ENDED = line(6, "event", event="CHANNEL_HANGUP_COMPLETE", hangup_cause="NORMAL_CLEARING", sip_status=200)


def calls() -> Calls:
    return Calls({"10.0.0.1": "switch 1"}.get)  # type: ignore[arg-type]


def only(of: Calls) -> Call:
    (call,) = of.rows().values()
    return call


def test_a_call_moves_from_gateway_to_switch_to_verb_to_its_end() -> None:
    of = calls()
    of.take_dialogs("public", [Dialog(CALL_ID, "", False)], 1)
    call = only(of)
    assert (call.stage, call.gateway, call.switch, call.is_answered) == ("gateway", "public", "", False)
    of.take(HANDED, "switch 1")
    call = only(of)
    assert (call.stage, call.gateway, call.switch, call.uuid, call.direction, call.began, call.since) == (
        "switch", "public", "switch 1", UUID, "inbound", 1, 2,
    )  # fmt: skip
    of.take(SAYS, "switch 1")
    of.take_dialogs("public", [Dialog(CALL_ID, ADDRESS, True)], 3)
    of.take(GATHERS, "switch 1")
    call = only(of)
    assert (call.stage, call.verb, call.verbs, call.sid, call.is_answered) == (
        "verb",
        "Gather",
        ("Say", "Gather"),
        SID,
        True,
    )
    of.take(ENDS, "switch 1")
    of.take(ENDED, "switch 1")
    call = only(of)
    assert (call.stage, call.cause, call.status, call.verb, call.since) == (
        "ended",
        "NORMAL_CLEARING",
        200,
        "Gather",
        5,
    )


@given(st.permutations([HANDED, SAYS, GATHERS, ENDS, ENDED]), st.integers(0, 5))
def test_whatever_comes_first_it_is_one_call_that_has_ended(lines: list[LogLine], listed: int) -> None:
    of = calls()
    for number, each in enumerate(lines):
        if number == listed:
            of.take_dialogs("public", [Dialog(CALL_ID, ADDRESS, True)], 1)
        of.take(each, "switch 1")
    call = only(of)
    assert (call.stage, call.sid, call.uuid, call.cause, call.status) == ("ended", SID, UUID, "NORMAL_CLEARING", 200)
    assert call.gateway == ("public" if listed < 5 else "")


def test_a_dialog_that_is_gone_ends_the_call_after_a_while_and_not_when_it_is_missed_once() -> None:
    of = calls()
    of.take_dialogs("public", [Dialog(CALL_ID, ADDRESS, True)], 1_000)
    assert only(of).switch == "switch 1"
    of.take_dialogs("public", [], 2_000)
    of.take_dialogs("public", [Dialog(CALL_ID, ADDRESS, True)], 3_000)
    of.take_dialogs("public", [], 4_000)
    assert only(of).stage == "gateway"
    of.take_dialogs("client", [], 9_000)
    assert only(of).stage == "gateway"
    of.take_dialogs("public", [], 7_000)
    assert only(of).stage == "ended"


def test_a_leg_that_was_dialled_is_a_call_with_a_parent() -> None:
    of = calls()
    of.take(HANDED, "switch 1")
    of.take(line(3, "event", LEG, event="CHANNEL_CREATE", direction="outbound", other_uuid=UUID), "switch 1")
    of.take(line(4, "event", LEG, event="CHANNEL_ANSWER"), "switch 1")
    leg = next(call for call in of.rows().values() if call.uuid == LEG)
    assert (leg.parent, leg.direction, leg.is_answered, leg.stage) == (UUID, "outbound", True, "switch")
    of.take(line(5, "event", event="CHANNEL_ANSWER", direction="inbound", other_uuid=LEG), "switch 1")
    assert next(call for call in of.rows().values() if call.uuid == UUID).parent == ""


def test_calls_that_were_refused_or_lost() -> None:
    of = calls()
    for number, message in enumerate(("call refused by the platform", "call refused: no platform", "call failed")):
        of.take(line(number, message, f"{number}{UUID[1:]}"), "switch 1")
    assert [call.cause for call in of.rows().values()] == ["REFUSED", "NO_PLATFORM", "FAILED"]
    of.take(HANDED, "switch 1")
    of.take(LogLine(9, "INFO", "switch_app.application", "started"), "switch 2")
    assert list(of.rows().values())[-1].stage == "switch"
    of.take(LogLine(9, "INFO", "switch_app.application", "started"), "switch 1")
    assert list(of.rows().values())[-1].cause == "LOST"


def test_what_is_kept_is_bounded() -> None:
    of = calls()
    for number in itertools.count(1):
        uuid = f"{number:08x}{UUID[8:]}"
        of.take(line(number, "call is handed over", uuid, sip_call_id=f"{number}@x"), "switch 1")
        if number % 2:
            of.take(line(number, "call ended", uuid), "switch 1")
        if number > 1_000:
            break
    stages = [call.stage for call in of.rows().values()]
    assert (stages.count("ended"), stages.count("switch")) == (40, 199)
    assert len(of._by_uuid) == len(of._by_call_id) == len(stages)


@given(st.lists(st.tuples(st.sampled_from([HANDED, SAYS, ENDED, line(1, "event", LEG)]), st.booleans()), max_size=20))
def test_a_channel_is_never_two_calls(taken: list[tuple[LogLine, bool]]) -> None:
    of = calls()
    for each, is_listed in taken:
        of.take(each, "switch 1")
        of.take_dialogs("public", [Dialog(CALL_ID, "", False)] if is_listed else [], 1)
    uuids = [call.uuid for call in of.rows().values() if call.uuid]
    assert len(uuids) == len(set(uuids))
