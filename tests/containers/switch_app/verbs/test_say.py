"""`<Say>`."""

import logging

import pytest

from switch_app.call import Speech
from switch_app.errors import TwimlError
from switch_app.verbs.catalogue import read_verbs
from tests.support.switch_session import CALL_SID, Run


def test_app_29_a_text_keeps_its_characters_and_is_charged_by_them() -> None:
    run = Run(
        '<?xml version="1.0" encoding="UTF-8"?>\n<!-- one -->\n<Response>\n <!-- two -->\n\n'
        "<Say>Hola, buen día</Say> \n</Response>\n",
        properties={"default_tts_voice": "Basic.Slt"},
    )
    assert run.call.played == [Speech("Basic.Slt", "Hola, buen día.")]
    assert run.platform.speech == [(CALL_SID, "Basic.Slt", 14)]


@pytest.mark.parametrize(
    ("attributes", "default", "voice"),
    [
        pytest.param('voice="woman"', "Basic.Kal", "Basic.Slt", id="APP-30"),
        pytest.param('voice="Polly.Lotte-Neural"', "Basic.Kal", "Polly.Lotte-Neural", id="APP-31"),
        pytest.param("", "Basic.Kal", "Basic.Kal", id="APP-32"),
        pytest.param('language="nl-NL"', "Polly.Joanna", "Polly.Lotte-Neural", id="APP-33"),
        pytest.param('language="pt-BR"', "Polly.Vitoria", "Polly.Vitoria", id="APP-34"),
        pytest.param('voice="nobody" language="nl-NL"', "Polly.Joanna", "Polly.Joanna", id="X-7"),
    ],
)
def test_the_voice_is_what_voice_language_and_default_give(attributes: str, default: str, voice: str) -> None:
    run = Run(f"<Response><Say {attributes}>Hello</Say></Response>", properties={"default_tts_voice": default})
    assert run.call.played == [Speech(voice, "Hello.")]
    assert run.platform.speech == [(CALL_SID, voice, 5)]


@pytest.mark.parametrize(
    ("loop", "times"),
    [
        pytest.param('loop="0"', 1000, id="APP-35-APP-38"),
        pytest.param('loop="5"', 5, id="APP-36"),
        pytest.param("", 1, id="APP-37"),
        pytest.param('loop="1001"', 1000, id="X-9-capped"),
        pytest.param('loop="99999999999999999999"', 1000, id="X-9-capped-far"),
        pytest.param('loop="often"', 1, id="X-9-not-a-number-counts-as-the-default"),
        pytest.param('loop="-1"', 1, id="X-9-negative-counts-as-the-default"),
    ],
)
def test_it_is_said_and_charged_as_often_as_it_loops(loop: str, times: int) -> None:
    run = Run(f"<Response><Say {loop}>Hello World</Say></Response>")
    assert run.heard == ["Hello World."] * times
    assert run.platform.speech == [(CALL_SID, "Basic.Kal", 11 * times)]


def test_it_is_charged_before_it_is_heard() -> None:
    def hang_up(run: Run) -> None:
        run.call.after(0.5, run.call.end)

    run = Run('<Response><Say loop="3">Hello</Say></Response>', script=hang_up)
    assert run.heard == ["Hello."]
    assert run.platform.speech == [(CALL_SID, "Basic.Kal", 15)]


def test_the_call_is_answered_with_its_sid_before_it_is_said() -> None:
    run = Run("<Response><Say>Hello</Say></Response>")
    assert run.call.done == ["answer", "play", "hangup"]
    assert run.call.answer_headers == {"X-Somleng-CallSid": CALL_SID}


def test_white_space_around_is_not_said_and_is_charged_as_the_platform_counts() -> None:
    run = Run("<Response><Say>\n  Hello\n</Say></Response>")
    assert run.heard == ["Hello."]
    assert run.platform.speech == [(CALL_SID, "Basic.Kal", 9)]


@pytest.mark.parametrize("text", ["Hello!", "Hello?", "Hello."])
def test_a_sentence_that_has_an_end_gets_no_other(text: str) -> None:
    assert Run(f"<Response><Say>{text}</Say></Response>").heard == [text]


@pytest.mark.parametrize("text", ["", "  \n ", "<!-- nothing -->"])
def test_nothing_to_say_costs_nothing(text: str) -> None:
    run = Run(f"<Response><Say>{text}</Say><Play>https://example.com/a.mp3</Play></Response>")
    assert run.heard == ["https://example.com/a.mp3"]
    assert run.platform.speech == []


def test_the_text_within_speech_markup_is_said() -> None:
    run = Run('<Response><Say>Hello <emphasis level="strong">big</emphasis> <prosody>World</prosody></Say></Response>')
    assert run.heard == ["Hello big World."]


def test_speech_that_cannot_be_had_costs_nothing_and_nobody_the_call() -> None:
    run = Run(
        "<Response><Say>Hello</Say><Say>World</Say></Response>",
        prepare=lambda run: run.prompts.failing.add("Hello."),
    )
    assert run.heard == ["World."]
    assert run.platform.speech == [(CALL_SID, "Basic.Kal", 5)]


def test_a_text_of_4096_characters_is_the_longest() -> None:
    assert read_verbs(f"<Response><Say>{'ក' * 4096}</Say></Response>")
    with pytest.raises(TwimlError, match=r"^line 2: <Say> has 4097 characters, more than 4096$"):
        read_verbs(f"<Response>\n<Say>{'a' * 4097}</Say></Response>")


def test_an_attribute_that_is_not_known_is_logged_and_ignored(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert Run('<Response>\n<Say volume="loud">Hello</Say></Response>').heard == ["Hello."]
    [record] = caplog.records
    assert (record.message, record.verb, record.attribute, record.twiml_line) == (  # type: ignore[attr-defined]
        "attribute ignored",
        "Say",
        "volume",
        2,
    )
