"""`<Play>`."""

import pytest

from switch_app.errors import TwimlError
from switch_app.verbs.catalogue import read_verbs
from tests.support.switch_session import Run

COWBELL = "http://api.twilio.com/cowbell.mp3"


@pytest.mark.parametrize(
    ("loop", "times"),
    [
        pytest.param("", 1, id="APP-39"),
        pytest.param('loop="5"', 5, id="APP-40"),
        pytest.param('loop="0"', 1000, id="X-9-zero"),
    ],
)
def test_it_is_played_as_often_as_it_loops(loop: str, times: int) -> None:
    run = Run(f"<Response><Play {loop}>\n  {COWBELL}\n</Play></Response>")
    assert run.heard == [COWBELL] * times
    assert run.call.done[0] == "answer"


def test_app_9_a_document_of_the_call_itself_is_run_without_asking_anybody() -> None:
    twiml = "<Response><Play>https://demo.twilio.com/docs/classic.mp3</Play></Response>"
    run = Run("", properties={"voice_url": None, "voice_method": None, "twiml": twiml})
    assert run.heard == ["https://demo.twilio.com/docs/classic.mp3"]
    assert run.server.asked == []


def test_a_relative_url_is_relative_to_its_document() -> None:
    assert Run("<Response><Play>sounds/a.mp3?x=1</Play></Response>").heard == [
        "https://www.example.com/sounds/a.mp3?x=1"
    ]


@pytest.mark.parametrize(
    "first", ["<Play>https://example.com/none.mp3</Play>", "<Play/>", "<Play> </Play>", "<Play>http://[</Play>"]
)
def test_audio_that_cannot_be_had_costs_nobody_the_call(first: str) -> None:
    run = Run(
        f"<Response>{first}<Play>{COWBELL}</Play></Response>",
        prepare=lambda run: run.prompts.failing.add("https://example.com/none.mp3"),
    )
    assert run.heard == [COWBELL]
    assert run.call.cause == "NORMAL_CLEARING"


def test_a_relative_url_in_a_document_from_nowhere_costs_nobody_the_call() -> None:
    twiml = f"<Response><Play>a.mp3</Play><Play>{COWBELL}</Play></Response>"
    assert Run("", properties={"voice_url": None, "twiml": twiml}).heard == [COWBELL]


def test_keys_are_sent_as_often_as_they_loop() -> None:
    run = Run('<Response><Play digits="ww12#*AD" loop="2"/></Response>')
    assert run.call.sent == "12#*AD" * 2
    assert run.call.done == ["answer", "send_digits", "send_digits", "hangup"]


def test_keys_that_are_none_are_an_error_that_names_them() -> None:
    with pytest.raises(TwimlError, match=r"^line 3: <Play> attribute 'digits' has other characters"):
        read_verbs('<Response>\n\n<Play digits="12x"/></Response>')
