"""`<Gather>`."""

import logging

import pytest

from switch_app.call import Silence, Speech
from switch_app.errors import TwimlError
from switch_app.verbs.catalogue import read_verbs
from switch_app.verbs.gather import Gather
from tests.support.switch_session import CALL_SID, URL, Run

RESULTS = "https://www.example.com/gather_results.xml"
NEXT = {RESULTS: "<Response><Say>results</Say></Response>"}
PLAY = "<Play>https://example.com/foo.mp3</Play>"


def gather(verb: str, *presses: tuple[float, str], hang_up: float | None = None) -> Run:
    """Run a Gather, with a Play after it, while the caller presses keys at some moments."""

    def script(run: Run) -> None:
        for at, keys in presses:
            run.call.after(at, run.call.press, keys)
        if hang_up is not None:
            run.call.after(hang_up, run.call.end)

    return Run(f"<Response>{verb}{PLAY}</Response>", documents=NEXT, script=script)


def read(attributes: str, children: str = "") -> Gather:
    [verb] = read_verbs(f"<Response><Gather {attributes}>{children}</Gather></Response>")
    assert isinstance(verb, Gather)
    return verb


def fell_through(run: Run) -> bool:
    return run.requests == [] and run.heard[-1] == "https://example.com/foo.mp3"


def test_app_10_without_an_action_the_current_document_is_asked() -> None:
    run = gather("<Gather/>", (1, "1"), hang_up=8)
    assert run.requests[0] == ("POST", URL)
    assert run.server.asked[1].parameters == {
        "Caller": "+85512456869",
        "Called": "1000",
        "From": "+85512456869",
        "To": "1000",
        "CallSid": CALL_SID,
        "Direction": "inbound",
        "AccountSid": "account",
        "ApiVersion": "2010-04-01",
        "CallStatus": "in-progress",
        "Digits": "1",
    }
    assert run.heard == []


@pytest.mark.parametrize(
    ("attributes", "method"),
    [
        pytest.param(f'action="{RESULTS}"', "POST", id="APP-11"),
        pytest.param('action="/gather_results.xml"', "POST", id="APP-12"),
        pytest.param('action="/gather_results.xml" method="GET"', "GET", id="APP-14"),
    ],
)
def test_the_action_is_told_the_digits(attributes: str, method: str) -> None:
    run = gather(f"<Gather {attributes}/>", (1, "1"))
    assert run.requests == [(method, RESULTS)]
    assert run.last["Digits"] == "1"
    assert run.heard == ["results."]


def test_app_13_without_digits_the_next_verb_is_run() -> None:
    assert fell_through(gather('<Gather action="/gather_results.xml"/>'))


@pytest.mark.parametrize(
    ("attributes", "seconds"),
    [
        pytest.param("", 5, id="APP-15"),
        pytest.param('timeout="10"', 10, id="APP-16"),
        pytest.param('timeout="soon"', 5, id="not-a-number"),
        pytest.param('timeout="0"', 0, id="zero"),
    ],
)
def test_the_first_digit_is_waited_for(attributes: str, seconds: int) -> None:
    run = gather(f"<Gather {attributes}/>")
    assert run.call.heard[0].at == pytest.approx(seconds)


def test_so_is_each_further_digit() -> None:
    run = gather('<Gather action="/gather_results.xml" timeout="4"/>', (3, "1"), (6, "2"), (9, "3"), (13.5, "4"))
    assert run.last["Digits"] == "123"
    assert run.server.asked[1].at == pytest.approx(13)


@pytest.mark.parametrize(
    ("attributes", "pressed", "digits", "finished_on"),
    [
        pytest.param("", "12#3", "12", "#", id="APP-17"),
        pytest.param('finishOnKey=""', "12#3*", "12#3*", None, id="APP-18-X-6"),
        pytest.param('finishOnKey="*"', "1#2*3", "1#2", "*", id="APP-19"),
        pytest.param('finishOnKey="x"', "1#2", "1", "#", id="no-key-counts-as-the-default"),
        pytest.param("", "1234567890123456789012345", "1234567890123456789012345", None, id="APP-21"),
        pytest.param('numDigits="5"', "1234567", "12345", None, id="APP-22"),
        pytest.param('numDigits="5"', "12#", "12", "#", id="fewer-than-numDigits"),
        pytest.param('numDigits="2"', "12#", "12", None, id="numDigits-wins"),
        pytest.param('numDigits="0"', "123#", "123", "#", id="numDigits-zero-counts-as-none"),
        pytest.param('numDigits="many"', "123#", "123", "#", id="numDigits-not-a-number-counts-as-none"),
        pytest.param('input="dtmf"', "12#", "12", "#", id="input-dtmf"),
        pytest.param('input="speech"', "12#", "12", "#", id="input-speech"),
    ],
)
def test_what_ends_it(attributes: str, pressed: str, digits: str, finished_on: str | None) -> None:
    run = gather(f'<Gather action="/gather_results.xml" {attributes}/>', (1, pressed))
    assert run.last["Digits"] == digits
    assert run.last.get("FinishedOnKey") == finished_on


def test_app_20_the_finish_key_before_any_digit_falls_through() -> None:
    run = gather('<Gather action="/gather_results.xml"><Say>press</Say></Gather>', (0.5, "#"))
    assert fell_through(run)
    assert run.heard[0] == "press."
    assert run.call.heard[1].at == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("attributes", "pressed", "expected"),
    [
        pytest.param('actionOnEmptyResult="true"', "", {}, id="APP-23"),
        pytest.param('actionOnEmptyResult="true"', "#", {"FinishedOnKey": "#"}, id="finish-key-first"),
        pytest.param('actionOnEmptyResult="false"', "#", None, id="false"),
        pytest.param('actionOnEmptyResult="perhaps"', "", None, id="neither"),
    ],
)
def test_the_action_is_asked_without_digits_if_it_is_to(
    attributes: str, pressed: str, expected: dict[str, str] | None
) -> None:
    run = gather(f'<Gather action="/gather_results.xml" {attributes}/>', (1, pressed))
    if expected is None:
        assert fell_through(run)
        return
    assert run.requests == [("POST", RESULTS)]
    assert {name: run.last[name] for name in ("Digits", "FinishedOnKey") if name in run.last} == expected
    assert run.heard == ["results."]


def test_app_24_a_prompt_is_played_as_often_as_it_loops() -> None:
    run = gather('<Gather><Play loop="3">https://api.twilio.com/cowbell.mp3</Play></Gather>')
    assert run.heard[:-1] == ["https://api.twilio.com/cowbell.mp3"] * 3


def test_app_25_prompts_are_said_in_their_order_and_charged_once_each() -> None:
    run = gather(
        '<Gather><Say voice="woman" language="de" loop="3">Hello World</Say>'
        '<Say voice="man" language="en" loop="5">Foobar</Say></Gather>'
    )
    assert run.call.played[:-1] == [
        *[Speech("Basic.Slt", "Hello World.")] * 3,
        *[Speech("Basic.Kal", "Foobar.")] * 5,
    ]
    assert run.platform.speech == [(CALL_SID, "Basic.Slt", 33), (CALL_SID, "Basic.Kal", 30)]


def test_app_26_comments_within_are_no_prompts() -> None:
    verb = read('action="/handle_gather"', "<Say>Hello World</Say><!-- <Say>no</Say> -->")
    assert verb.action == "/handle_gather"
    assert [getattr(prompt, "text", None) for prompt in verb.prompts] == ["Hello World"]


@pytest.mark.parametrize("inner", [pytest.param("Record", id="APP-27"), "Gather", "Foobar", "say"])
def test_nothing_but_prompts_is_allowed_within(inner: str) -> None:
    with pytest.raises(TwimlError, match=rf"^line 1: <{inner}> is not allowed within <Gather>$"):
        read("", f"<{inner}/>")


def test_app_28_every_text_within_is_charged_before_any_is_heard() -> None:
    run = gather(
        '<Gather numDigits="1"><Say voice="man" loop="5">Hello World</Say>'
        '<Play loop="3">https://api.twilio.com/cowbell.mp3</Play><Say voice="woman">Hello World</Say></Gather>',
        (0.1, "1"),
        hang_up=5,
    )
    assert run.platform.speech[:2] == [(CALL_SID, "Basic.Kal", 55), (CALL_SID, "Basic.Slt", 11)]
    assert run.heard[:2] == ["Hello World.", "Hello World."]


def test_a_pause_within_is_waited_for() -> None:
    run = gather('<Gather timeout="2"><Say>one</Say><Pause length="3"/><Say>two</Say></Gather>')
    assert run.call.played[1] == Silence(3)
    assert [heard.at for heard in run.call.heard] == pytest.approx([0, 1, 4, 7])


def test_a_key_ends_the_prompts() -> None:
    run = gather('<Gather action="/gather_results.xml" timeout="3"><Say loop="9">one</Say></Gather>', (1.5, "4"))
    assert run.heard == ["one.", "one.", "results."]
    assert run.server.asked[1].at == pytest.approx(4.5)


def test_a_key_does_not_if_it_is_not_to_and_counts_all_the_same() -> None:
    verb = '<Gather action="/gather_results.xml" numDigits="1" bargeIn="false"><Say loop="3">one</Say></Gather>'
    run = gather(verb, (0.5, "4"))
    assert run.heard == ["one."] * 3 + ["results."]
    assert run.last["Digits"] == "4"
    assert run.server.asked[1].at == pytest.approx(3)


def test_keys_from_before_are_forgotten() -> None:
    assert fell_through(
        Run(
            f"<Response><Say>first</Say><Gather/>{PLAY}</Response>",
            script=lambda run: run.call.after(0.5, run.call.press, "1"),
        )
    )


@pytest.mark.parametrize("at", [0.5, 4.0], ids=["prompting", "waiting"])
def test_a_caller_who_leaves_ends_it_and_nobody_is_asked(at: float) -> None:
    run = gather('<Gather actionOnEmptyResult="true"><Say>press</Say></Gather>', hang_up=at)
    assert run.requests == []
    assert run.heard == ["press."]


def test_x_5_a_document_of_the_call_itself_has_no_url_for_the_result() -> None:
    """It ends the call; an absolute action works."""
    run = Run(
        "",
        properties={"voice_url": None, "twiml": "<Response><Gather/></Response>"},
        script=lambda run: run.call.after(1, run.call.press, "1#"),
    )
    assert run.call.done == ["answer", "hangup"]
    run = Run(
        "",
        documents=NEXT,
        properties={"voice_url": None, "twiml": f'<Response><Gather action="{RESULTS}"/></Response>'},
        script=lambda run: run.call.after(1, run.call.press, "1#"),
    )
    assert run.heard == ["results."]


def test_who_asks_for_speech_is_told_so_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        read('input="dtmf speech" speechTimeout="auto"')
    assert [record.message for record in caplog.records] == [
        "attribute ignored",
        "speech is not recognised; keys are",
    ]


def test_keys_to_send_are_not_allowed_within() -> None:
    with pytest.raises(TwimlError, match=r"^line 1: <Play> attribute 'digits' is not allowed within <Gather>$"):
        read("", '<Play digits="1"/>')
