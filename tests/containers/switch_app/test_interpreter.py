"""Documents run on a call; updates and hang-ups come at any moment."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switch_app.call import Speech
from switch_app.errors import FetchFailed
from switch_app.interpreter import Update
from switch_app.voices.catalogue import Catalogue
from tests.fakes.call import Callee
from tests.support import virtual_time
from tests.support.switch_session import CALL_SID, URL, Run

NEW = "https://www.example.com/new.xml"


def say(text: str) -> str:
    return f"<Response><Say>{text}</Say></Response>"


def test_app_7_the_first_document_of_a_call_that_comes() -> None:
    url = "https://demo.twilio.com/docs/voice.xml"
    text = "Thanks for trying our documentation. Enjoy!"
    twiml = (
        f'<Response><Say voice="Polly.Joanna-Generative">{text}</Say>'
        "<Play>http://demo.twilio.com/docs/classic.mp3</Play></Response>"
    )
    run = Run(
        "",
        documents={url: twiml},
        properties={"voice_url": url, "voice_method": "GET"},
        prepare=lambda run: setattr(run.prompts, "catalogue", Catalogue()),  # one without that voice
    )
    [asked] = run.server.asked
    assert (asked.method, asked.url) == ("GET", url)
    assert asked.parameters == {
        "Caller": "+85512456869",
        "Called": "1000",
        "From": "+85512456869",
        "To": "1000",
        "CallSid": CALL_SID,
        "Direction": "inbound",
        "AccountSid": "account",
        "ApiVersion": "2010-04-01",
        "CallStatus": "ringing",
    }
    assert run.call.answer_headers == {"X-Somleng-CallSid": CALL_SID}
    assert run.platform.speech == [(CALL_SID, "Basic.Kal", 43)]
    assert run.heard == [text, "http://demo.twilio.com/docs/classic.mp3"]


def test_app_89_a_document_is_run_to_its_end_and_the_call_hung_up() -> None:
    run = Run("<Response><Play>https://example.com/a.mp3</Play></Response>")
    assert run.heard == ["https://example.com/a.mp3"]
    assert run.call.done == ["answer", "play", "hangup"]


@pytest.mark.parametrize(
    ("twiml", "reason"),
    [
        pytest.param("<Response><Foobar/></Response>", "line 1: Invalid element <Foobar>", id="APP-90"),
        pytest.param("<Response><Say>a</Say><Foobar/></Response>", "line 1: Invalid element <Foobar>", id="later"),
        pytest.param("<html/>", "line 1: The root element must be the <Response> element", id="html"),
        pytest.param(FetchFailed("500"), "500", id="no document"),
    ],
)
def test_a_document_that_cannot_be_run_ends_the_call_and_says_why(
    twiml: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        run = Run(twiml)
    assert run.call.done == ["hangup"]
    assert [record.reason for record in caplog.records] == [reason]  # type: ignore[attr-defined]


def test_each_verb_is_logged_by_name_as_it_begins_and_nothing_that_is_in_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "switch_app.interpreter"):
        run = Run('<Response><Say>Secret</Say><Pause length="1"/><Play digits="4711"/><Hangup/></Response>')
    begun = [record for record in caplog.records if record.getMessage() == "verb begins"]
    keys = [(record.verb, record.call_sid, record.call_uuid) for record in begun]  # type: ignore[attr-defined]
    assert keys == [(verb, CALL_SID, run.call.uuid) for verb in ("Say", "Pause", "Play", "Hangup")]
    assert not any("4711" in str(record.__dict__) or "Secret" in str(record.__dict__) for record in caplog.records)


def test_how_long_a_customer_s_server_took_is_logged_with_its_call(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "switch_app.interpreter"):
        run = Run("<Response/>")
    (fetched,) = [record.__dict__ for record in caplog.records if record.getMessage() == "document fetched"]
    assert (fetched["call_sid"], fetched["call_uuid"]) == (CALL_SID, run.call.uuid)
    assert 0 <= fetched["milliseconds"] < 60_000


def test_an_empty_document_hangs_up_without_an_answer() -> None:
    assert Run("<Response/>").call.done == ["hangup"]


def test_documents_that_only_redirect_come_to_an_end() -> None:
    run = Run(f"<Response><Redirect>{URL}</Redirect></Response>")
    assert len(run.server.asked) == 51
    assert run.call.cause is not None


def test_documents_that_pause_and_redirect_do_not() -> None:
    run = Run(
        f"<Response><Pause/><Redirect>{URL}</Redirect></Response>",
        script=lambda run: run.call.after(99.5, run.call.end),
    )
    assert len(run.server.asked) == 100


def test_a_caller_who_leaves_while_a_document_is_fetched_ends_the_call() -> None:
    run = Run(
        '<Response><Dial answerOnBridge="true">1</Dial></Response>',
        script=lambda run: run.call.after(1, run.call.end),
        prepare=lambda run: setattr(run.server, "seconds", 3.0),
    )
    assert run.call.done == []
    assert run.platform.dialled == []


def test_no_call_is_left_when_it_is_cancelled_from_outside() -> None:
    def script(run: Run) -> None:
        task = asyncio.current_task()
        assert task is not None
        run.call.after(2, task.cancel)

    with pytest.raises(asyncio.CancelledError):
        Run('<Response><Pause length="9"/></Response>', script=script, is_answered=True)


# Updates.

UPDATES = {
    "url": (Update(voice_url=NEW, voice_method="GET"), ("GET", NEW)),
    "url by POST": (Update(voice_url=NEW, voice_method="POST"), ("POST", NEW)),
    "document": (Update(twiml=say("new")), None),
}
BUSY = {
    "Say": '<Say loop="60">old</Say>',
    "Play": '<Play loop="60">https://example.com/old.mp3</Play>',
    "Play digits": f'<Play digits="{"w" * 120}"/>',
    "Pause": '<Say>old</Say><Pause length="60"/>',
    "leading Pause": '<Pause length="60"/>',
    "Gather prompting": '<Gather><Say loop="60">old</Say></Gather>',
    "Gather waiting": '<Gather timeout="60"/>',
    "Record": '<Record timeout="60" maxLength="60"/>',
    "Dial ringing": '<Dial timeout="60" action="/never.xml">85516701721</Dial>',
    "Dial talking": '<Dial timeLimit="60" action="/never.xml">855715100860</Dial>',
}


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("busy", BUSY)
def test_x_2_an_update_takes_effect_in_the_middle_of_every_verb(busy: str, update: str) -> None:
    new, asked = UPDATES[update]
    run = Run(
        f"<Response>{BUSY[busy]}<Say>never</Say></Response>",
        documents={NEW: say("new")},
        callees={"855715100860@27.109.112.140": Callee(answers_after=1)},
        script=lambda run: run.update(5, new),
    )
    begins = [heard.at for heard in run.call.heard if heard.prompt == Speech("Basic.Kal", "new.")]
    assert begins == [pytest.approx(5)]
    assert run.heard[-1] == "new."
    assert run.requests == ([asked] if asked else [])
    assert run.call.ringing == []


def test_an_update_cuts_in_while_a_document_is_fetched() -> None:
    run = Run(
        say("never"),
        prepare=lambda run: setattr(run.server, "seconds", 9.0),
        script=lambda run: run.update(5, Update(twiml=say("new"))),
    )
    assert run.heard == ["new."]
    assert run.call.heard[0].at == 5


def test_an_update_that_cannot_be_run_ends_the_call() -> None:
    run = Run(
        "<Response><Pause length='60'/></Response>", script=lambda run: run.update(5, Update(twiml="<Response><X/>"))
    )
    assert run.call.done == ["hangup"]
    assert run.call.now == 5


def test_the_last_of_several_updates_counts() -> None:
    def update(run: Run) -> None:
        for text in ("one", "two", "three"):
            run.interpreter.update(Update(twiml=say(text)))

    def script(run: Run) -> None:
        run.call.after(1, update, run)

    assert Run("<Response><Pause length='60'/></Response>", script=script).heard == ["three."]


def test_relative_urls_of_an_update_are_relative_to_the_last_document_that_was_fetched() -> None:
    run = Run(
        "<Response><Pause length='60'/></Response>",
        script=lambda run: run.update(1, Update(twiml="<Response><Redirect>b.xml</Redirect></Response>")),
    )
    assert run.requests == [("POST", "https://www.example.com/b.xml")]


def test_an_update_of_a_call_that_is_over_does_nothing() -> None:
    def script(run: Run) -> None:
        run.call.after(1, run.call.end)
        run.update(2, Update(voice_url=NEW))

    run = Run(
        '<Response><Record action="/done.xml" maxLength="9"/></Response>',
        documents={"https://www.example.com/done.xml": "<Response/>"},
        script=script,
        prepare=lambda run: setattr(run.recordings, "seconds", 3.0),
    )
    assert NEW not in [asked.url for asked in run.server.asked]


moments = st.integers(0, 300).map(lambda tenths: tenths / 10)
steps = st.integers(0, 8)
"""Steps of the event loop within a moment: what happens in the same moment happens in some order."""


def at(run: Run, moment: float, step: int, act: Callable[..., object], *arguments: object) -> None:
    """Have something happen in a moment, some steps of the event loop into it."""
    loop = asyncio.get_running_loop()

    def count(left: int) -> None:
        if left:
            loop.call_soon(count, left - 1)
        else:
            act(*arguments)

    run.call.after(moment, count, step)


# URLs are absolute: a document of an update has none that others could be relative to.
verbs = st.sampled_from(
    [
        "<Say>{}</Say>",
        '<Say loop="3">{}</Say>',
        "<Pause/>",
        '<Pause length="3"/>',
        '<Gather timeout="2" action="https://www.example.com/{}.xml"><Say>{}</Say></Gather>',
        '<Gather bargeIn="false" action="https://www.example.com/{}.xml"><Say>{}</Say><Pause/></Gather>',
        '<Record maxLength="3" action="https://www.example.com/{}.xml"/>',
        '<Record playBeep="false" timeout="1" action="https://www.example.com/{}.xml"/>',
        '<Dial timeout="3">85516701721</Dial>',
        '<Dial timeLimit="2" record="record-from-answer" action="https://www.example.com/{}.xml">855715100860</Dial>',
        '<Play digits="1w2"/>',
        "<Redirect>https://www.example.com/{}.xml</Redirect>",
    ]
)
bodies = st.lists(verbs, min_size=1, max_size=4).map("".join)


@pytest.mark.parametrize("step", range(9))
def test_an_update_in_the_moment_in_which_a_prompt_ends_lets_no_other_begin(step: int) -> None:
    before: list[int] = []

    def update(run: Run) -> None:
        before.append(len(run.call.heard))
        run.interpreter.update(Update(twiml=say("new")))

    run = Run('<Response><Say loop="60">old</Say></Response>', script=lambda run: at(run, 5, step, update, run))
    assert run.heard == ["old."] * before[0] + ["new."]


def document(body: str, name: str) -> str:
    return f"<Response>{body.replace('{}', name)}<Say>end of {name}</Say></Response>"


def assert_nothing_is_lost(run: Run) -> None:
    """Each call that the platform made was a leg of the media server's or has a record of ours, and not both; each
    recording with something in it was delivered."""
    dialled = [leg.call_sid for request in run.call.dial_requests for leg in request.legs]
    noted = [sid for sid, _, _ in run.records.noted]
    assert sorted(dialled + noted) == sorted(call.sid for call in run.platform.calls)
    assert len(run.recordings.delivered) == len([seconds for seconds in run.call.written if seconds])


def text_of(prompt: Any) -> str:
    return getattr(prompt, "text", "")


@settings(max_examples=150)
@given(
    first=bodies,
    updates=st.lists(st.tuples(moments, steps, bodies), min_size=1, max_size=4),
    pressed=st.lists(st.tuples(moments, st.sampled_from("1#*")), max_size=3),
    slow=st.tuples(*[st.sampled_from([0.0, 0.7])] * 4),
)
def test_whenever_updates_come_the_last_document_is_run_and_nothing_of_the_others_is_heard_after_it(
    first: str, updates: list[tuple[float, int, str]], pressed: list[tuple[float, str]], slow: tuple[float, ...]
) -> None:
    names = [f"d{number}" for number in range(len(updates) + 1)]
    heard_before: dict[str, int] = {}

    def update(run: Run, name: str, body: str) -> None:
        if run.call.cause is None:
            heard_before[name] = len(run.call.heard)
            run.interpreter.update(Update(twiml=document(body, name)))

    def script(run: Run) -> None:
        run.server.seconds, run.prompts.seconds, run.platform.seconds, run.routes.seconds = slow
        for name, (moment, step, body) in zip(names[1:], updates, strict=True):
            at(run, moment, step, update, run, name, body)
        for moment, key in pressed:
            run.call.after(moment, run.call.press, key)
        run.call.talk(99)

    run = Run(
        document(first, "d0"),
        documents={f"https://www.example.com/{name}.xml": say(f"followed {name}") for name in names},
        callees={"855715100860@27.109.112.140": Callee(answers_after=1)},
        script=script,
    )
    last = [*heard_before][-1] if heard_before else "d0"
    # By their order and not by their time: what begins in the same moment, after the update, is too late too.
    later = [text_of(prompt) for prompt in run.call.played[heard_before.get(last, 0) :]]
    assert all(last in text for text in later if text)
    assert run.heard[-1] in (f"end of {last}.", f"followed {last}.")
    assert run.call.ringing == []
    assert run.call.cause == "NORMAL_CLEARING"
    assert_nothing_is_lost(run)


@settings(max_examples=150)
@given(
    body=bodies,
    moment=moments,
    step=steps,
    slow=st.tuples(*[st.sampled_from([0.0, 0.7])] * 4),
    recording=st.sampled_from([0.0, 0.7]),
)
def test_whenever_the_caller_leaves_the_call_is_over_and_nothing_is_lost(
    body: str, moment: float, step: int, slow: tuple[float, ...], recording: float
) -> None:
    def script(run: Run) -> None:
        run.server.seconds, run.prompts.seconds, run.platform.seconds, run.routes.seconds = slow
        run.recordings.seconds = recording
        run.call.talk(99)
        at(run, moment, step, run.call.end, "ORIGINATOR_CANCEL")

    run = Run(
        document(body, "d0"),
        documents={"https://www.example.com/d0.xml": say("followed d0")},
        callees={"855715100860@27.109.112.140": Callee(answers_after=1)},
        script=script,
    )
    assert run.call.cause is not None
    assert run.call.ringing == []
    assert all(heard.at <= moment for heard in run.call.heard)
    assert_nothing_is_lost(run)


def test_two_runs_of_the_same_call_are_the_same() -> None:
    """The clock is exact, so that what fails once fails again."""

    def moments() -> list[float]:
        return [heard.at for heard in Run('<Response><Say loop="9">a</Say></Response>').call.heard]

    assert moments() == moments() == [float(second) for second in range(9)]


def test_the_clock_finds_a_deadlock() -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    waits: Callable[[], Any] = never
    with pytest.raises(virtual_time.NothingLeft):
        virtual_time.run(waits())
