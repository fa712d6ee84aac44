"""`<Dial>`."""

from collections.abc import Callable
from typing import Any

import pytest

from switch_app.call import DialResult, LegResult, SipCredentials
from switch_app.call_data_records.document import LostCall
from switch_app.call_data_records.owed import channel_of
from switch_app.call_properties import BillingParameters
from switch_app.errors import PlatformRefused, PlatformUnavailable, TwimlError
from switch_app.interpreter import Update
from switch_app.verbs.catalogue import read_verbs
from switch_app.verbs.dial import Dial
from switch_app.verbs.dial_status import status_of
from tests.fakes.call import Callee
from tests.fakes.switch_services import NOT_REGISTERED
from tests.support.switch_session import CALL_SID, Run

RESULTS = "https://www.example.com/dial_results.xml"
NEXT = {RESULTS: "<Response><Say>results</Say></Response>"}
ALICE, BOB = "85516701721@27.109.112.140", "855715100860@27.109.112.140"
TWO = "<Number>85516701721</Number><Number>855715100860</Number>"
UPDATE = Update(twiml="<Response><Say>updated</Say></Response>")


def nothing(run: Run) -> None:
    pass


def national(run: Run) -> None:
    run.platform.national_dialing = True


def dial(
    inner: str = "85516701721",
    attributes: str = 'action="/dial_results.xml"',
    script: Callable[[Run], None] = nothing,
    prepare: Callable[[Run], None] = nothing,
    **callees: Callee,
) -> Run:
    """Run a Dial, with a Say after it."""
    known = {"alice": ALICE, "bob": BOB}
    return Run(
        f"<Response><Dial {attributes}>{inner}</Dial><Say>next</Say></Response>",
        documents=NEXT,
        callees={known[name]: callee for name, callee in callees.items()},
        script=script,
        prepare=prepare,
    )


def read(inner: str, attributes: str = "") -> Dial:
    [verb] = read_verbs(f"<Response><Dial {attributes}>\n{inner}</Dial></Response>")
    assert isinstance(verb, Dial)
    return verb


def test_app_56_a_number_is_dialled_and_the_next_verb_is_run() -> None:
    run = dial(attributes="", alice=Callee(talks_for=3))
    assert run.platform.dialled == [(CALL_SID, ["85516701721"], None)]
    [request] = run.call.dial_requests
    [leg] = request.legs
    assert (leg.address, leg.caller_id, leg.call_sid) == (ALICE, "855715100678", "child-85516701721")
    assert leg.headers == {"X-Somleng-CallSid": "child-85516701721"}
    assert (request.timeout, request.time_limit, request.hangup_on_star, request.record) == (30, 14400, False, None)
    assert run.requests == []
    assert run.heard == ["next."]


def test_app_57_a_trunk_may_want_national_format() -> None:
    [leg] = dial(prepare=national).call.dial_requests[0].legs
    assert (leg.address, leg.caller_id) == ("016701721@27.109.112.140", "0715100678")


def test_app_58_the_platform_names_the_profile() -> None:
    run = dial(prepare=lambda run: setattr(run.platform, "sip_profile", "test"))
    assert run.call.dial_requests[0].legs[0].profile == "test"


@pytest.mark.parametrize("enabled", [True, False])
def test_pg_18_each_leg_has_what_it_is_charged_by(enabled: bool) -> None:
    run = dial(
        TWO,
        prepare=lambda run: setattr(run.platform, "billing", BillingParameters(enabled, "outbound_calls", "prepaid")),
    )
    charged = {
        "cgr_tenant": "carrier",
        "cgr_account": "account",
        "cgr_category": "outbound_calls",
        "cgr_destination": "85516701721",
        "cgr_reqtype": "*prepaid",
    }
    assert run.call.dial_requests[0].legs[0].variables == (charged if enabled else {"cgr_reqtype": "*none"})


def test_app_59_several_ring_at_once() -> None:
    run = dial(TWO, bob=Callee(talks_for=3))
    assert run.platform.dialled == [(CALL_SID, ["85516701721", "855715100860"], None)]
    assert [leg.address for leg in run.call.dial_requests[0].legs] == [ALICE, BOB]
    assert run.last["DialCallSid"] == "child-855715100860"


def test_app_60_a_sip_address_is_dialled() -> None:
    run = dial("<Sip>sip:alice@sip.example.com</Sip>")
    assert run.platform.dialled == [(CALL_SID, ["sip:alice@sip.example.com"], None)]
    [leg] = run.call.dial_requests[0].legs
    assert leg.address == "alice@sip.example.com"
    assert run.call.dial_requests[0].timeout == 30


@pytest.mark.parametrize(
    ("inner", "callees", "sid", "seconds"),
    [
        pytest.param("+855 16 701721", {"alice": Callee(talks_for=23.7)}, "child-+855 16 701721", "23", id="APP-61"),
        pytest.param(
            TWO, {"alice": Callee.silent(), "bob": Callee(talks_for=25)}, "child-855715100860", "25", id="APP-62"
        ),
    ],
)
def test_the_action_is_told_who_talked_and_how_long(
    inner: str, callees: dict[str, Callee], sid: str, seconds: str
) -> None:
    run = dial(inner, **callees)
    assert run.requests == [("POST", RESULTS)]
    told = {name: value for name, value in run.last.items() if name.startswith("Dial")}
    assert told == {
        "DialCallStatus": "completed",
        "DialCallSid": sid,
        "DialCallDuration": seconds,
        "DialBridged": "true",
    }
    assert run.heard == ["results."]


def test_app_63_by_get() -> None:
    assert dial(attributes='action="/dial_results.xml" method="GET"').requests == [("GET", RESULTS)]


def test_app_64_the_callee_is_shown_another_number() -> None:
    run = dial("+855715100860", 'callerId="85523238265"', prepare=national)
    assert run.platform.dialled == [(CALL_SID, ["+855715100860"], "85523238265")]
    [leg] = run.call.dial_requests[0].legs
    assert (leg.address, leg.caller_id) == ("0715100860@27.109.112.140", "023238265")


@pytest.mark.parametrize(
    ("attributes", "seconds"),
    [
        pytest.param('timeout="10"', 10, id="APP-65"),
        pytest.param("", 30, id="default"),
        pytest.param('timeout="0"', 1, id="least"),
        pytest.param('timeout="9999"', 600, id="most"),
    ],
)
def test_it_rings_for_so_long(attributes: str, seconds: int) -> None:
    run = dial(attributes=f'action="/dial_results.xml" {attributes}')
    assert run.server.asked[1].at == pytest.approx(seconds)
    assert run.last["DialCallStatus"] == "no-answer"


def test_app_66_comments_are_no_nouns() -> None:
    assert [noun.destination for noun in read("<Number>85516701721</Number><!-- comment -->").nouns] == ["85516701721"]


@pytest.mark.parametrize("noun", [pytest.param("Conference", id="APP-67"), "Client", "Queue", "number"])
def test_other_nouns_are_an_error(noun: str) -> None:
    with pytest.raises(TwimlError, match=rf"^line 2: <{noun}> is not allowed within <Dial>$"):
        read(f"<{noun}>a</{noun}>")


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        (" ", "line 1: <Dial> must contain a number, or <Number> or <Sip> nouns"),
        ("<Number> </Number>", "line 2: <Number> must contain a number"),
        ("<Sip/>", "line 2: <Sip> must contain a SIP URI"),
        ("<Sip>alice</Sip>", "line 2: <Sip> must contain a SIP URI"),
        ("<Sip>sip:a b@example.com</Sip>", "line 2: <Sip> must contain a SIP URI"),
        ("<Number>1<b/></Number>", "line 2: <b> is not allowed within <Number>"),
        ("<Number>1</Number>" * 11, "line 1: <Dial> has 11 nouns, more than 10"),
        (
            '<Number sendDigits="1,2">1</Number>',
            "line 2: <Number> attribute 'sendDigits' has other characters than 0-9, A-D, *, #, w and W",
        ),
        ("<Sip>sip:a@b?x-a=1%0D%0AVia:2</Sip>", "line 2: <Sip> has a control character in the header 'x-a'"),
        (f"<Sip>sip:a@b?x-a={'1' * 1024}</Sip>", "line 2: <Sip> has more than 1024 characters of headers"),
    ],
)
def test_what_is_wrong_is_named(inner: str, message: str) -> None:
    with pytest.raises(TwimlError) as raised:
        read(inner)
    assert str(raised.value) == message


def test_keys_are_sent_to_a_number() -> None:
    run = dial('<Number sendDigits="wwww1928#">85516701721</Number>')
    assert run.call.dial_requests[0].legs[0].send_digits == "wwww1928#"


def test_a_sip_address_may_have_headers_and_credentials() -> None:
    run = dial(
        '<Sip username="user" password="secret">sip:alice@sip.example.com;transport=tcp'
        "?x-name=a%20b&amp;X-Somleng-CallSid=other&amp;X-Src-Ip=1.2.3.4&amp;Route=evil&amp;User-to-User=1</Sip>"
    )
    assert run.platform.dialled[0][1] == ["sip:alice@sip.example.com;transport=tcp"]
    [leg] = run.call.dial_requests[0].legs
    assert leg.credentials == SipCredentials("user", "secret")
    assert "secret" not in repr(leg)
    assert leg.headers == {"X-Somleng-CallSid": leg.call_sid, "x-name": "a b", "User-to-User": "1"}


@pytest.mark.parametrize(
    ("callees", "status"),
    [
        ({"alice": Callee(talks_for=2)}, "completed"),
        ({"alice": Callee.busy()}, "busy"),
        ({"alice": Callee.refusing(600, "USER_BUSY")}, "busy"),
        ({"alice": Callee.silent()}, "no-answer"),
        ({"alice": Callee.refusing(480, "NO_USER_RESPONSE")}, "no-answer"),
        ({"alice": Callee.refusing(603, "CALL_REJECTED")}, "no-answer"),
        ({"alice": Callee.refusing(404, "UNALLOCATED_NUMBER")}, "failed"),
        ({"alice": Callee.refusing(503, "NORMAL_TEMPORARY_FAILURE")}, "failed"),
        ({"alice": Callee.unreachable()}, "failed"),
        ({"alice": Callee.busy(), "bob": Callee.silent()}, "no-answer"),
        ({"alice": Callee.refusing(404, "UNALLOCATED_NUMBER"), "bob": Callee.busy()}, "busy"),
    ],
)
def test_the_action_is_told_how_it_ended(callees: dict[str, Callee], status: str) -> None:
    run = dial(TWO if len(callees) > 1 else "85516701721", **callees)
    assert run.last["DialCallStatus"] == status
    assert run.last["DialBridged"] == ("true" if status == "completed" else "false")
    assert ("DialCallDuration" in run.last) is (status == "completed")
    assert run.last["DialCallSid"] == "child-85516701721"
    assert run.heard == ["results."]


@pytest.mark.parametrize("failure", [PlatformRefused("no balance", 422), PlatformUnavailable("503")])
@pytest.mark.parametrize("has_action", [True, False])
def test_x_4_a_platform_that_refuses_costs_nobody_the_call(failure: Exception, has_action: bool) -> None:
    run = dial(
        attributes='action="/dial_results.xml"' if has_action else "",
        prepare=lambda run: setattr(run.platform, "failure", failure),
    )
    assert run.heard == (["results."] if has_action else ["next."])
    assert {name for name in run.last if name.startswith("Dial")} == ({"DialCallStatus"} if has_action else set())
    assert run.call.dial_requests == []
    assert run.records.noted == []


def test_the_caller_is_answered_first() -> None:
    run = dial(alice=Callee(talks_for=2))
    assert run.call.done[:2] == ["answer", "dial"]


def test_the_caller_is_answered_when_the_legs_are_joined_if_it_is_to_be_so() -> None:
    run = dial(attributes='answerOnBridge="true"', alice=Callee(answers_after=5, talks_for=2))
    assert run.call.done[:2] == ["dial", "answer"]
    assert run.call.answer_headers == {"X-Somleng-CallSid": CALL_SID}
    run = dial(attributes='answerOnBridge="true"', alice=Callee.busy())
    assert run.call.done[:2] == ["dial", "answer"]  # the Say after it


@pytest.mark.parametrize(
    ("attributes", "seconds"),
    [
        ('timeLimit="20"', "20"),
        ('hangupOnStar="true"', "9"),
        ('hangupOnStar="false" timeLimit="15"', "15"),
        ('timeLimit="0"', "1"),
    ],
)
def test_the_talk_is_ended(attributes: str, seconds: str) -> None:
    run = dial(
        attributes=f'action="/dial_results.xml" {attributes}',
        script=lambda run: run.call.after(10, run.call.press, "5*"),
        alice=Callee(),
    )
    assert run.last["DialCallDuration"] == seconds
    assert run.heard == ["results."]


# What becomes of it when it is cut short.


def after(seconds: float, act: Callable[[Run], Callable[..., Any]], *arguments: object) -> Callable[[Run], None]:
    return lambda run: run.call.after(seconds, act(run), *arguments)


@pytest.mark.parametrize(
    ("seconds", "status"), [(0.5, "canceled"), (5.0, "completed")], ids=["while it rings", "while they talk"]
)
def test_a_caller_who_leaves_is_told_to_the_action(seconds: float, status: str) -> None:
    run = dial(script=after(seconds, lambda run: run.call.end), alice=Callee())
    assert run.requests == [("POST", RESULTS)]
    assert (run.last["DialCallStatus"], run.last["CallStatus"]) == (status, "completed")
    assert run.call.done == ["answer", "dial"]
    assert (run.call.ringing, run.records.noted) == ([], [])


@pytest.mark.parametrize(
    ("seconds", "answered"), [(0.5, {}), (5.0, {"child-85516701721": 1})], ids=["while they ring", "while one talks"]
)
def test_each_leg_that_dies_with_the_media_server_has_a_record(seconds: float, answered: dict[str, int]) -> None:
    inner = TWO if not answered else "85516701721"
    run = dial(inner, script=after(seconds, lambda run: run.call.lose), alice=Callee(answers_after=1.0))
    sids = [call.sid for call in run.platform.calls]
    assert run.records.lost == [
        LostCall(channel_of(sid), sid, "outbound", began=0, answered=answered.get(sid)) for sid in sids
    ]
    assert run.records.noted == []


def test_a_leg_that_ended_before_the_media_server_died_has_its_record() -> None:
    run = dial(
        TWO,
        script=after(3.0, lambda run: run.call.lose),
        alice=Callee(refuses_after=1.0, status=486, cause="USER_BUSY"),
        bob=Callee(answers_after=2.0),
    )
    assert [call.sid for call in run.records.lost] == ["child-855715100860"]


@pytest.mark.parametrize("seconds", [0.5, 5.0], ids=["while it rings", "while they talk"])
def test_an_update_leaves_no_leg(seconds: float) -> None:
    run = dial(script=after(seconds, lambda run: run.interpreter.update, UPDATE), alice=Callee())
    assert run.heard == ["updated."]
    assert run.call.heard[0].at == pytest.approx(seconds)
    assert (run.requests, run.call.ringing, run.records.noted) == ([], [], [])


def slow(run: Run) -> None:
    run.platform.seconds, run.routes.seconds = 2.0, 2.0


@pytest.mark.parametrize("seconds", [1.0, 3.0], ids=["while the platform makes the calls", "while routes are found"])
@pytest.mark.parametrize("leaves", [True, False])
def test_each_call_that_the_platform_made_has_a_record_when_it_is_cut_short(seconds: float, leaves: bool) -> None:
    act = after(seconds, lambda run: run.call.end if leaves else run.interpreter.update, *([] if leaves else [UPDATE]))
    run = dial(TWO, script=act, prepare=slow, alice=Callee(), bob=Callee())
    assert [call.sid for call in run.platform.calls] == ["child-85516701721", "child-855715100860"]
    assert run.records.owed == [call.sid for call in run.platform.calls]
    assert run.records.noted == [(call.sid, "ORIGINATOR_CANCEL", 487) for call in run.platform.calls]
    assert run.heard == ([] if leaves else ["updated."])
    if leaves:
        assert run.last["DialCallStatus"] == "canceled"
    else:
        assert run.call.heard[0].at == pytest.approx(seconds)


def test_a_refusal_after_it_was_cut_short_needs_no_record() -> None:
    def prepare(run: Run) -> None:
        slow(run)
        run.platform.failure = PlatformRefused("no balance", 422)

    run = dial(script=after(1, lambda run: run.interpreter.update, UPDATE), prepare=prepare)
    assert (run.records.noted, run.heard) == ([], ["updated."])


@pytest.mark.parametrize(
    ("failure", "record"),
    [
        (NOT_REGISTERED, ("child-85516701721", "USER_NOT_REGISTERED", 480)),
        (PlatformRefused("no such profile", 422), ("child-85516701721", "NORMAL_TEMPORARY_FAILURE", None)),
        (PlatformUnavailable("nobody can tell"), ("child-85516701721", "NORMAL_TEMPORARY_FAILURE", None)),
        (RuntimeError("a fault"), ("child-85516701721", "NORMAL_TEMPORARY_FAILURE", None)),
    ],
)
@pytest.mark.parametrize("others", [True, False])
def test_a_leg_without_a_route_has_a_record_and_the_others_are_dialled(
    failure: Exception, record: tuple[str, str, int | None], others: bool
) -> None:
    run = dial(
        TWO if others else "85516701721",
        prepare=lambda run: run.routes.failures.update({"85516701721": failure}),
        bob=Callee(talks_for=2),
    )
    assert run.records.noted == [record]
    assert run.last["DialCallStatus"] == ("completed" if others else "failed")
    assert run.last["DialCallSid"] == ("child-855715100860" if others else "child-85516701721")


def test_a_leg_without_a_channel_has_a_record() -> None:
    run = dial(TWO, alice=Callee.unreachable(), bob=Callee(talks_for=2))
    assert run.records.noted == [("child-85516701721", "DESTINATION_OUT_OF_ORDER", None)]
    assert run.last["DialCallStatus"] == "completed"


def test_a_media_server_that_does_not_dial_costs_nobody_the_call() -> None:
    run = dial(script=lambda run: run.call.failing.add("dial"))
    assert run.last["DialCallStatus"] == "failed"
    assert len(run.records.noted) == 1
    assert run.heard == ["results."]


# Recording.


@pytest.mark.parametrize(
    ("record", "recorded"),
    [
        ("do-not-record", False),
        ("false", False),
        ("perhaps", False),
        ("record-from-answer", True),
        ("record-from-ringing", True),
        ("record-from-answer-dual", True),
        ("record-from-ringing-dual", True),
        ("true", True),
    ],
)
def test_the_talk_is_recorded_if_it_is_to_be(record: str, recorded: bool) -> None:
    attributes = f'action="/dial_results.xml" record="{record}" recordingStatusCallback="/done"'
    run = dial(attributes=attributes, alice=Callee(talks_for=4))
    assert len(run.recordings.delivered) == recorded
    assert run.last.get("RecordingUrl") == ("https://api.example.com/Recordings/recording-1" if recorded else None)
    assert run.platform.recordings == ([(CALL_SID, "https://www.example.com/done", "POST")] if recorded else [])


def test_of_a_talk_that_was_not_there_is_no_recording() -> None:
    run = dial(attributes='action="/dial_results.xml" record="record-from-answer"', alice=Callee.busy())
    assert (run.platform.recordings, run.recordings.delivered) == ([], [])
    assert "RecordingUrl" not in run.last


@pytest.mark.parametrize("leaves", [True, False])
def test_a_recording_is_delivered_when_it_is_cut_short(leaves: bool) -> None:
    act = after(5, lambda run: run.call.end if leaves else run.interpreter.update, *([] if leaves else [UPDATE]))
    run = dial(attributes='action="/dial_results.xml" record="record-from-answer"', script=act, alice=Callee())
    assert run.recordings.delivered == [("recording-1", pytest.approx(4, abs=0.01))]
    assert run.last.get("RecordingUrl") == ("https://api.example.com/Recordings/recording-1" if leaves else None)


def test_a_platform_that_takes_no_recording_costs_nobody_the_call() -> None:
    def fail(run: Run) -> None:
        run.call.after(2, setattr, run.platform, "failure", PlatformUnavailable("503"))

    run = dial(
        attributes='action="/dial_results.xml" record="record-from-answer"', script=fail, alice=Callee(talks_for=4)
    )
    assert run.last["DialCallStatus"] == "completed"
    assert "RecordingUrl" not in run.last


def test_a_leg_result_without_a_status_is_told_by_its_cause() -> None:
    def status(cause: str) -> str:
        return str(status_of(DialResult([LegResult(True, cause, None)])))

    assert [status(cause) for cause in ("USER_BUSY", "NO_ANSWER", "NETWORK_OUT_OF_ORDER")] == [
        "busy",
        "no-answer",
        "failed",
    ]
