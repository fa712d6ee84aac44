"""`<Record>`."""

import pytest

from switch_app.call import Beep
from switch_app.errors import MediaServerError, PlatformRefused, PlatformUnavailable, TwimlError
from switch_app.interpreter import Update
from switch_app.verbs.catalogue import read_verbs
from tests.support.switch_session import CALL_SID, URL, Run

RESULTS = "https://www.example.com/record_results.xml"
NEXT = {RESULTS: "<Response><Say>results</Say></Response>"}
RECORDING_URL = "https://api.example.com/Recordings/recording-1"


def record(
    attributes: str,
    *,
    talk: float = 2.0,
    press: tuple[float, str] | None = None,
    hang_up: float | None = None,
    update: float | None = None,
    seconds: float = 0.0,
) -> Run:
    """Run a Record, with a Say after it, while the caller talks from the beginning on. The beep takes a second."""

    def script(run: Run) -> None:
        run.recordings.seconds = seconds
        run.call.after(1, run.call.talk, talk)
        if press is not None:
            run.call.after(press[0], run.call.press, press[1])
        if hang_up is not None:
            run.call.after(hang_up, run.call.end)
        if update is not None:
            run.update(update, Update(twiml="<Response><Say>updated</Say></Response>"))

    return Run(f"<Response><Record {attributes}/><Say>next</Say></Response>", documents=NEXT, script=script)


def test_app_48_the_defaults() -> None:
    run = record("", hang_up=9)
    [request, *_] = run.call.record_requests
    assert (request.maximum_seconds, request.silence_seconds) == (3600, 5)
    assert set(request.finish_keys) == set("1234567890*#")
    assert run.call.played[0] == Beep()
    assert run.platform.recordings[0] == (CALL_SID, None, None)
    asked = run.server.asked[1]
    assert (asked.method, asked.url) == ("POST", URL)
    assert asked.parameters["RecordingUrl"] == RECORDING_URL
    assert asked.parameters["RecordingSid"] == "recording-1"
    assert asked.parameters["RecordingDuration"] == "2"
    assert "Digits" not in asked.parameters
    assert asked.at == pytest.approx(8)


def test_app_49_the_action_is_told_of_the_recording() -> None:
    run = record(f'action="{RESULTS}" method="GET"')
    assert run.requests == [("GET", RESULTS)]
    assert run.heard[-1] == "results."


@pytest.mark.parametrize(
    ("attributes", "callback"),
    [
        pytest.param(
            'recordingStatusCallback="https://www.example.com/callback" recordingStatusCallbackMethod="GET"',
            ("https://www.example.com/callback", "GET"),
            id="APP-50",
        ),
        pytest.param(
            'recordingStatusCallback="/callback"', ("https://www.example.com/callback", "POST"), id="relative"
        ),
        pytest.param('recordingStatusCallbackMethod="GET"', (None, None), id="method-alone"),
    ],
)
def test_the_platform_is_told_whom_to_tell(attributes: str, callback: tuple[str | None, str | None]) -> None:
    run = record(f'action="{RESULTS}" {attributes}')
    assert run.platform.recordings == [(CALL_SID, *callback)]


@pytest.mark.parametrize(
    ("attributes", "beeps"),
    [
        pytest.param('playBeep="true"', True, id="APP-51"),
        pytest.param('playBeep="false"', False, id="APP-52"),
        pytest.param('playBeep="FALSE"', False, id="either-case"),
        pytest.param('playBeep="no"', True, id="neither"),
    ],
)
def test_a_beep_tells_that_it_begins(attributes: str, beeps: bool) -> None:
    assert (Beep() in record(f'action="{RESULTS}" {attributes}').call.played) is beeps


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        pytest.param('maxLength="30"', (30, 5, "1234567890*#"), id="APP-53"),
        pytest.param('timeout="10"', (3600, 10, "1234567890*#"), id="APP-54"),
        pytest.param('finishOnKey="123456789"', (3600, 5, "123456789"), id="APP-55"),
        pytest.param('finishOnKey=""', (3600, 5, ""), id="no-key"),
        pytest.param('finishOnKey="q" timeout="0" maxLength="-1"', (1, 1, "1234567890*#"), id="limits"),
        pytest.param('maxLength="99999"', (14400, 5, "1234567890*#"), id="four-hours"),
    ],
)
def test_what_ends_it(attributes: str, expected: tuple[int, int, str]) -> None:
    [request] = record(f'action="{RESULTS}" {attributes}').call.record_requests
    assert (request.maximum_seconds, request.silence_seconds, request.finish_keys) == expected


def test_a_key_that_ends_it_is_told() -> None:
    run = record(f'action="{RESULTS}"', talk=10, press=(4, "#"))
    assert run.last["Digits"] == "#"
    assert run.last["RecordingDuration"] == "3"


def test_keys_from_before_do_not_end_it() -> None:
    run = record(f'action="{RESULTS}"', press=(0.5, "#"))
    assert "Digits" not in run.last
    assert run.last["RecordingDuration"] == "2"


@pytest.mark.parametrize(
    ("attributes", "seconds"), [("", "2"), ('trim="trim-silence"', "2"), ('trim="do-not-trim"', "7"), ('trim="x"', "2")]
)
def test_silence_around_is_taken_off_unless_it_is_not_to(attributes: str, seconds: str) -> None:
    run = record(f'action="{RESULTS}" {attributes}')
    assert run.last["RecordingDuration"] == seconds
    assert run.recordings.delivered == [("recording-1", pytest.approx(float(seconds), abs=0.01))]


def test_of_silence_nobody_is_told_and_the_next_verb_is_run() -> None:
    run = record(f'action="{RESULTS}"', talk=0)
    assert run.requests == []
    assert run.recordings.delivered == []
    assert run.heard[-1] == "next."


def test_a_caller_who_leaves_is_recorded_and_the_action_told() -> None:
    run = record(f'action="{RESULTS}"', talk=60, hang_up=4)
    assert run.requests == [("POST", RESULTS)]
    assert run.last["Digits"] == "hangup"
    assert run.last["RecordingDuration"] == "3"
    assert run.last["CallStatus"] == "completed"
    assert [sid for sid, _ in run.recordings.delivered] == ["recording-1"]
    assert run.call.done[-1] == "record"  # the action's document is not run


def test_a_caller_who_leaves_before_it_begins_ends_the_call() -> None:
    run = record(f'action="{RESULTS}"', hang_up=0.5)
    assert run.requests == []
    assert run.call.record_requests == []
    assert run.recordings.expected == {}


def test_an_update_ends_it_and_it_is_delivered_all_the_same() -> None:
    run = record(f'action="{RESULTS}"', talk=60, update=4, seconds=20)
    assert run.requests == []
    assert run.heard == ["Beep()", "updated."]
    assert run.call.heard[1].at == pytest.approx(4)  # and does not wait for the delivery
    assert run.recordings.delivered == [("recording-1", pytest.approx(3, abs=0.01))]


def test_an_update_while_it_is_delivered_does_not_lose_it() -> None:
    run = record(f'action="{RESULTS}"', talk=60, press=(4, "#"), update=14, seconds=20)
    assert run.requests == []
    assert run.heard == ["Beep()", "updated."]
    assert [sid for sid, _ in run.recordings.delivered] == ["recording-1"]


@pytest.mark.parametrize("failure", [PlatformRefused("callback url", 422), PlatformUnavailable("503")])
def test_x_4_a_platform_that_takes_no_recording_costs_nobody_the_call(failure: Exception) -> None:
    run = Run(
        "<Response><Record/><Say>next</Say></Response>", prepare=lambda run: setattr(run.platform, "failure", failure)
    )
    assert run.heard == ["next."]
    assert run.call.record_requests == []


def test_a_media_server_that_does_not_record_is_told() -> None:
    with pytest.raises(MediaServerError, match="record"):
        Run("<Response><Record/><Say>next</Say></Response>", script=lambda run: run.call.failing.add("record"))


def test_nothing_is_allowed_within() -> None:
    with pytest.raises(TwimlError, match=r"^line 1: <Say> is not allowed within <Record>$"):
        read_verbs("<Response><Record><Say>a</Say></Record></Response>")


def test_the_file_is_expected_while_it_is_written_and_not_after() -> None:
    """What an app that dies in the middle leaves belongs to a recording that somebody knows."""
    expected: list[str] = []

    def script(run: Run) -> None:
        run.call.after(1, run.call.talk, 2.0)
        run.call.after(2, lambda: expected.extend(run.recordings.expected.values()))

    run = Run("<Response><Record/></Response>", script=script)
    assert expected == ["recording-1"]
    assert run.recordings.expected == {}
