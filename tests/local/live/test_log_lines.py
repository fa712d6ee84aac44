"""Lines as the programs write them, and what of each may be shown."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.live.log_lines import LogLine, exception_name, parse

NOW = 1_795_567_470_000
UUID, SID = "7a6fb2bd-47ce-42fd-bfa9-8018a186bd88", "5edaabea-11bb-4f60-a942-e6e8a5e4327e"


def own(message: str, logger: str = "switch_app.interpreter", level: str = "INFO", **further: object) -> str:
    line = {"time": "2026-11-25T00:44:28.188Z", "level": level, "logger": logger, "message": message}
    return json.dumps(line | further)


def read(text: str) -> LogLine:
    line = parse(text, NOW)
    assert line is not None
    return line


def local(text: str, form: str) -> int:
    return int(time.mktime(time.strptime(text, form)) * 1000)


def test_a_line_of_the_switch_app() -> None:
    line = read(own("verb begins", call_sid=SID, call_uuid=UUID, verb="Gather"))
    assert (line.at, line.level, line.place, line.message) == (
        1_795_567_468_188,
        "INFO",
        "switch_app.interpreter",
        "verb begins",
    )
    assert (line.text("call_sid"), line.text("call_uuid"), line.text("verb")) == (SID, UUID, "Gather")
    assert not line.is_error


def test_a_line_of_a_function() -> None:
    line = read(
        json.dumps(
            {
                "level": "INFO",
                "location": "_answer:50",
                "message": "task state handled",
                "timestamp": "2026-11-25 00:50:47,583+0000",
                "service": "somleng-switch-local-services",
                "outcome": "changed",
                "task_arn": "arn:aws:ecs:ap-southeast-1:123456789012:task/somleng-switch/8ec8d727-1f81-46d2",
                "group": "service:switch",
                "phase": "running",
            }
        )
    )
    assert (line.at, line.message, line.place) == (1_795_567_847_583, "task state handled", "_answer:50")
    assert line.subject == "8ec8d727 service:switch"
    assert (line.text("outcome"), line.text("phase")) == ("changed", "running")


def test_metrics_of_a_function() -> None:
    metrics = {"Timestamp": NOW - 5, "CloudWatchMetrics": []}
    line = read(json.dumps({"_aws": metrics, "service": "s", "MessagesDone": [2.0], "MessagesFailed": [0.0]}))
    assert (line.at, line.number("MessagesDone"), line.number("MessagesFailed"), line.message) == (NOW - 5, 2, 0, "")


def test_an_error_names_its_type_and_not_what_it_says() -> None:
    traceback = (
        'Traceback (most recent call last):\n  File "a.py", line 1\nswitch_app.errors.FetchFailed: GET ?token=s3cret'
    )
    line = read(own("call failed", level="ERROR", exception=traceback, reason="the password is s3cret", call_uuid=UUID))
    assert line.is_error
    assert line.subject == f"{UUID[:8]} FetchFailed"
    assert "s3cret" not in repr(line)


@pytest.mark.parametrize(
    ("text", "level", "place"),
    [
        ("Nov 25 00:44:22 [26596] ERROR:load_balancer:lb_db_load_data: secret", "ERROR", "load_balancer:lb_db_load_data"),  # noqa: E501
        ("Nov 25 00:44:21 [26582] NOTICE:core:main: version: opensips 3.6.8", "NOTICE", "core:main"),
        ("2026-11-25 00:44:22.984593 0.00% [CRIT] switch_loadable_module.c:1754 secret", "CRITICAL", "switch_loadable_module.c:1754"),  # noqa: E501
        (f"{UUID} 2026-11-25 00:44:22.984593 99.1% [ERR] mod_sofia.c:12 secret", "ERROR", "mod_sofia.c:12"),
        ("\x1b[31m2026-11-25 00:44:22.984593 [ERR] sofia.c:22 secret", "ERROR", "sofia.c:22"),
        ("2026/11/25 00:44:22 [error] 12#12: *1 connect() failed (111) secret", "ERROR", ""),
        ("ERR: [core] secret", "ERROR", ""),
        ("[1795567470.1] CRIT: [control] secret", "CRITICAL", ""),
        ("2026-11-25 00:44:22,984 ERROR ministack secret", "ERROR", ""),
        ("CRITICAL:root:secret", "CRITICAL", ""),
    ],
)  # fmt: skip
def test_of_other_programs_only_level_and_place_are_taken(text: str, level: str, place: str) -> None:
    line = read(text)
    assert (line.level, line.place, line.message, line.subject) == (level, place, "", "")


def test_when_other_programs_say_it_was() -> None:
    assert read("Nov 25 00:44:22 [1] ERROR:core:main: x").at == local("2026 11 25 00:44:22", "%Y %m %d %H:%M:%S")
    assert read("2026-11-25 00:44:22.98 [ERR] a.c:1 x").at == local("2026 11 25 00:44:22", "%Y %m %d %H:%M:%S")


def test_a_call_that_a_gateway_refused_has_its_address_and_not_its_call_id() -> None:
    line = read("Nov 25 00:44:22 [26596] call refused: 192.0.2.66 is no permitted address call_id=secret@192.0.2.66")
    assert (line.level, line.message, line.subject) == (
        "NOTICE",
        "call refused: its address is not permitted",
        "192.0.2.66",
    )


@pytest.mark.parametrize(
    "text",
    [
        "Listening on",
        "   udp: 127.0.0.1 [127.0.0.1]:5060",
        "",
        "{}x",
        "[1, 2]",
        json.dumps({"level": "LOUD", "message": "x"}),
        "x" * 70_000,
    ],
)
def test_what_says_nothing(text: str) -> None:
    assert parse(text, NOW) is None


@pytest.mark.parametrize(
    "line",
    [
        own("Found credentials in environment variables.", logger="botocore.credentials"),
        own("pressed 4711", logger="switch_app.x"),
        own("digest 0cc175b9c0f1b6a831c3", logger="switch_app.x"),
        own("<b>bold</b>", logger="switch_app.x"),
        own("Task exception was never retrieved", logger="asyncio", level="ERROR"),
        json.dumps({"level": "ERROR", "message": "text of a program without a logger"}),
    ],
)
def test_messages_that_are_not_this_projects_literals_are_not_shown(line: str) -> None:
    assert read(line).message == ""


@pytest.mark.parametrize(
    ("end", "name"),
    [
        ("botocore.errorfactory.ResourceNotFoundException: what", "ResourceNotFoundException"),
        ("KeyError: 's3cret'", "KeyError"),
        ("CallEnded", "CallEnded"),
        ("ValueError: begins\nSecret: goes on", "ValueError"),
        ("the secret is here", ""),
        ("S3CRET: here", ""),
    ],
)
def test_the_type_of_an_exception(end: str, name: str) -> None:
    frames = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    raise Secret(1)\n'
    assert exception_name(frames + end) == name
    assert exception_name(f"{frames}KeyError\n\nDuring handling of the above:\n\n{frames}{end}") == name
    assert exception_name(end) == ""


def test_no_exception() -> None:
    assert exception_name(None) == exception_name("") == exception_name("Traceback (most recent call last):") == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["time", "timestamp", "level", "logger", "location", "service", "message", "call_sid", "call_uuid", "verb", "event",
     "sip_status", "exception", "_aws", "MessagesDone", "task_arn", "table", "key", "reason", "Session-Count"]
)  # fmt: skip


@given(st.one_of(st.text(), st.dictionaries(NAMES, JSON).map(json.dumps)))
def test_no_line_is_an_error(text: str) -> None:
    line = parse(text, NOW)
    assert line is None or isinstance(line.at, int)


@given(st.text(st.characters(codec="utf-8"), min_size=4, max_size=40))
def test_free_text_never_gets_out(text: str) -> None:
    marked = f"S3CRET {text}"
    fields = dict.fromkeys(
        ("reason", "exception", "result", "detail", "verb", "cause", "key", "worker", "check"), marked
    )
    for line in (
        own(marked, logger="aiohttp.server", **fields),
        own("call failed", level="ERROR", **fields),
        f"ERR: {marked}",
        f"[ERR] {marked}",
    ):
        assert "S3CRET" not in repr(parse(line, NOW))
