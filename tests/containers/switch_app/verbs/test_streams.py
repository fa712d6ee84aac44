"""`<Connect>`, `<Start>` and `<Stop>` with `<Stream>`."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from switch_app.errors import PlatformRefused, TwimlError
from switch_app.interpreter import Update
from switch_app.media_streams.conversation import StreamLimits
from switch_app.verbs.catalogue import read_verbs
from tests.fakes.call import TONE_FRAME
from tests.fakes.web_sockets import FakeWebSocket
from tests.support.switch_session import CALL_SID, URL, Run

STREAM_URL = "wss://mystream.ngrok.io/audiostream"
CONNECT = f'<Connect><Stream url="{STREAM_URL}"/></Connect>'
AFTER = "<Say>next</Say>"
MULAW_SECOND = base64.b64encode(b"\x10" * 8000).decode()


def media(payload: str = MULAW_SECOND) -> dict[str, Any]:
    return {"event": "media", "streamSid": "stream-1", "media": {"payload": payload}}


def mark(name: str) -> dict[str, Any]:
    return {"event": "mark", "streamSid": "stream-1", "mark": {"name": name}}


CLEAR = {"event": "clear", "streamSid": "stream-1"}


def stream(
    twiml: str = CONNECT + AFTER,
    *,
    leave: float | None = 1.0,
    script: Callable[[Run], None] = lambda run: None,
    prepare: Callable[[Run], None] = lambda run: None,
    **options: Any,
) -> Run:
    """Run a document whose other side leaves after some seconds; the script may have more happen."""

    def prepared(run: Run) -> None:
        def other_side(socket: FakeWebSocket) -> None:
            if leave is not None:
                run.call.after(leave, socket.leave)

        run.web_sockets.other_side = other_side
        prepare(run)

    return Run(f"<Response>{twiml}</Response>", script=script, prepare=prepared, **options)


def at(seconds: float, *messages: Any) -> Callable[[Run], None]:
    """Return a script in which the other side says something after some seconds."""
    return lambda run: run.call.after(seconds, lambda: [run.web_sockets.opened[0].say(one) for one in messages])


def each(*scripts: Callable[[Run], None]) -> Callable[[Run], None]:
    """Return several scripts as one."""

    def script(run: Run) -> None:
        for one in scripts:
            one(run)

    return script


def pressing(seconds: float, digits: str) -> Callable[[Run], None]:
    return lambda run: run.call.after(seconds, run.call.press, digits)


def kinds(run: Run, *leaving_out: str) -> list[str]:
    return [kind for _, kind, _ in run.platform.media_stream_events if kind not in leaving_out]


def marks(run: Run) -> list[str]:
    return [one["mark"]["name"] for one in run.web_sockets.opened[0].received if one["event"] == "mark"]


def test_app_68_a_stream_is_connected_and_then_the_next_verb_runs() -> None:
    run = stream()
    assert run.platform.media_streams == [(CALL_SID, STREAM_URL, "inbound", {})]
    [socket] = run.web_sockets.opened
    assert socket.url == STREAM_URL
    assert kinds(run) == ["connect", "start", "disconnect"]
    assert run.platform.media_stream_events[-1] == ("stream-1", "disconnect", {"code": 1000})
    assert run.call.answer_headers is not None
    assert run.heard == ["next."]
    assert run.call.heard[0].at == pytest.approx(1.0)


def test_the_messages_come_in_order_with_all_their_fields() -> None:
    run = stream(script=pressing(0.5, "1"))
    [socket] = run.web_sockets.opened
    assert socket.events("media") == ["connected", "start", "dtmf"]
    assert socket.received[0] == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    started = socket.received[1]
    assert started["start"]["callSid"] == CALL_SID
    assert (started["start"]["accountSid"], started["start"]["streamSid"]) == ("account", "stream-1")
    assert started["start"]["tracks"] == ["inbound"]
    numbers = [message["sequenceNumber"] for message in socket.received[1:]]
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    [pressed] = [message for message in socket.received if message["event"] == "dtmf"]
    assert pressed["dtmf"] == {"track": "inbound_track", "digit": "1"}


def test_the_caller_is_heard_in_20_ms() -> None:
    run = stream(script=lambda run: run.call.talk(0.5))
    heard = [one["media"] for one in run.web_sockets.opened[0].received if one["event"] == "media"]
    assert len(heard) == pytest.approx(50, abs=2)
    assert [one["chunk"] for one in heard] == [str(number + 1) for number in range(len(heard))]
    assert heard[4] | {"payload": ""} == {"track": "inbound", "chunk": "5", "timestamp": "100", "payload": ""}
    payloads = [base64.b64decode(one["payload"]) for one in heard]
    assert {len(payload) for payload in payloads} == {160}
    assert payloads[0] != payloads[-1] == b"\xff" * 160


def test_app_69_parameters_are_told_twice_and_the_platform_too() -> None:
    nouns = '<Parameter name="aCustomParameter" value="a"/><Parameter name="bCustomParameter" value=" b "/>'
    run = stream(f'<Connect><Stream url="{STREAM_URL}">{nouns}</Stream></Connect>')
    parameters = {"aCustomParameter": "a", "bCustomParameter": " b "}
    assert run.platform.media_streams[0][3] == parameters
    started = run.web_sockets.opened[0].received[1]
    assert (started["customParameters"], started["start"]["customParameters"]) == (parameters, parameters)


@pytest.mark.parametrize(
    "update",
    [
        pytest.param(Update(voice_url="https://www.example.com/redirect.xml", voice_method="POST"), id="APP-70"),
        pytest.param(Update(twiml="<Response><Say>new</Say></Response>"), id="APP-71"),
    ],
)
def test_an_update_ends_the_stream_and_the_old_document(update: Update) -> None:
    documents: dict[str, str | Exception] = {
        "https://www.example.com/redirect.xml": "<Response><Say>new</Say></Response>"
    }
    run = stream(leave=None, documents=documents, script=lambda run: run.update(2.0, update))
    [socket] = run.web_sockets.opened
    assert (socket.events("media"), socket.close_code) == (["connected", "start", "stop"], 1000)
    assert socket.received[-1]["stop"] == {"accountSid": "account", "callSid": CALL_SID}
    assert kinds(run) == ["connect", "start", "disconnect"]
    assert run.heard == ["new."]
    assert run.call.heard[0].at == pytest.approx(2.0)


def test_a_caller_who_leaves_ends_the_stream() -> None:
    run = stream(leave=None, script=lambda run: run.call.after(2.0, run.call.end))
    assert run.web_sockets.opened[0].events("media") == ["connected", "start", "stop"]
    assert kinds(run) == ["connect", "start", "disconnect"]
    assert run.heard == []


def test_the_document_at_the_action_is_gone_on_with() -> None:
    action = "https://www.example.com/after.xml"
    documents: dict[str, str | Exception] = {action: "<Response><Say>after</Say></Response>"}
    twiml = f'<Connect action="{action}" method="GET"><Stream url="{STREAM_URL}"/></Connect><Say>next</Say>'
    run = stream(twiml, documents=documents)
    assert run.requests == [("GET", action)]
    assert run.heard == ["after."]


@pytest.mark.parametrize(
    ("twiml", "message"),
    [
        pytest.param(
            "<Connect><Room/></Connect>",
            "<Connect> must contain exactly one of the following nouns: <Stream>",
            id="APP-76",
        ),
        pytest.param(
            f'<Connect><Stream url="{STREAM_URL}"/><Stream url="{STREAM_URL}"/></Connect>',
            "<Connect> must contain exactly one of the following nouns: <Stream>",
            id="two",
        ),
        pytest.param(
            f'<Connect><Stream url="{STREAM_URL}"><Foobar/></Stream></Connect>',
            "<Stream> must only contain <Parameter> nouns",
            id="APP-78",
        ),
        pytest.param(
            '<Connect><Stream url="https://example.com"/></Connect>',
            "<Stream> must contain a valid wss 'url' attribute",
            id="scheme",
        ),
        pytest.param("<Connect><Stream/></Connect>", "<Stream> must contain a valid wss 'url' attribute", id="no URL"),
        pytest.param(
            f'<Connect><Stream url="{STREAM_URL}"><Parameter foobar="a" value="b"/></Stream></Connect>',
            "<Parameter> must have a 'name' and 'value' attribute",
            id="APP-81",
        ),
        pytest.param("<Start/>", "<Start> must contain exactly one of the following nouns: <Stream>", id="empty Start"),
        pytest.param(
            "<Stop><Stream/></Stop>", "<Stream> within <Stop> must have a 'name' attribute", id="Stop of nothing"
        ),
    ],
)
def test_what_is_wrong_is_told(twiml: str, message: str) -> None:
    with pytest.raises(TwimlError) as caught:
        read_verbs(f"<Response>{twiml}</Response>")
    assert str(caught.value) == f"line 1: {message}"


def test_app_75_and_77_comments_are_no_nouns() -> None:
    twiml = (
        f'<Connect><!-- a --><Stream url="{STREAM_URL}"><Parameter name="foo" value="bar"/><!-- <Parameter/> -->'
        '<Parameter name="bar" value="baz"/></Stream></Connect>'
    )
    run = stream(twiml)
    assert run.platform.media_streams == [(CALL_SID, STREAM_URL, "inbound", {"foo": "bar", "bar": "baz"})]


def test_app_79_an_insecure_url_is_taken_where_it_is_allowed() -> None:
    run = stream('<Connect><Stream url="ws://localhost:3001"/></Connect>', insecure_streams=True)
    assert kinds(run) == ["connect", "start", "disconnect"]


def test_app_80_an_insecure_url_ends_the_call_elsewhere(caplog: pytest.LogCaptureFixture) -> None:
    run = stream('<Connect><Stream url="ws://localhost:3001"/></Connect><Say>next</Say>')
    assert (run.web_sockets.opened, run.heard) == ([], [])
    reasons = [getattr(record, "reason", "") for record in caplog.records]
    assert "line 1: <Stream> must contain a valid wss 'url' attribute" in reasons


def test_app_85_a_stream_that_cannot_be_connected_is_told_and_the_call_goes_on() -> None:
    def prepare(run: Run) -> None:
        run.web_sockets.failure = "wss://mystream.ngrok.io is not reached"

    run = stream(prepare=prepare)
    assert run.platform.media_stream_events == [
        ("stream-1", "connect_failed", {"message": "wss://mystream.ngrok.io is not reached"})
    ]
    assert run.counted["MediaStreamFailed"] == 1
    assert run.heard == ["next."]


def test_a_stream_that_the_platform_refuses_is_none_and_the_call_goes_on() -> None:
    def prepare(run: Run) -> None:
        run.platform.failure = PlatformRefused("no", 422)

    run = stream(prepare=prepare)
    assert (run.web_sockets.opened, run.heard) == ([], ["next."])


@pytest.mark.parametrize("slow", ["platform", "web_sockets"])
def test_an_update_while_it_is_being_connected_waits_for_nothing(slow: str) -> None:
    def prepare(run: Run) -> None:
        getattr(run, slow).seconds = 8.0

    update = Update(twiml="<Response><Say>new</Say></Response>")
    run = stream(leave=None, prepare=prepare, script=lambda run: run.update(1.0, update))
    assert run.call.heard[0].at == pytest.approx(1.0)
    # The platform knows of it, so it is told how it ended.
    assert kinds(run) == ["connect_failed"]


def test_what_the_other_side_says_is_heard_in_real_time() -> None:
    run = stream(leave=6.0, script=at(1.0, media(), media(), mark("a")))
    first, last = run.call.spoken[0][0], run.call.spoken[-1][0]
    assert len(run.call.spoken) == 100
    assert (first, last) == (pytest.approx(1.0, abs=0.03), pytest.approx(2.98, abs=0.03))
    [socket] = run.web_sockets.opened
    [returned] = [number for number, one in enumerate(socket.received) if one["event"] == "mark"]
    before = [one for one in socket.received[:returned] if one["event"] == "media"]
    assert len(before) == pytest.approx(150, abs=2)
    assert kinds(run) == ["connect", "start", "socket_mark", "mark", "disconnect"]


def test_marks_are_returned_in_order_and_at_once_after_clear() -> None:
    say = at(1.0, mark("empty"), media(), mark("a"), media(), mark("b"), mark("c"))
    run = stream(leave=6.0, script=each(say, at(2.5, CLEAR, mark("d"))))
    assert marks(run) == ["empty", "a", "b", "c", "d"]
    assert len(run.call.spoken) == pytest.approx(75, abs=2)


def test_a_rest_that_fills_no_frame_is_heard_too() -> None:
    run = stream(script=at(0.5, media(base64.b64encode(b"\x10" * 200).decode()), mark("a")))
    assert len(run.call.spoken) == 2
    assert marks(run) == ["a"]


def test_audio_that_there_is_no_room_for_is_told(caplog: pytest.LogCaptureFixture) -> None:
    run = stream(
        leave=6.0, stream_limits=StreamLimits(playback_seconds=2), script=at(1.0, media(), media(), media(), media())
    )
    assert len(run.call.spoken) == 100
    overruns = [details for _, kind, details in run.platform.media_stream_events if kind == "buffer_overrun"]
    assert overruns == [{"direction": "playback"}, {"direction": "playback", "milliseconds": 2000}]
    assert run.counted["MediaStreamOverflow"] == 1
    assert any(record.message == "media stream drops audio" for record in caplog.records)


def test_an_other_side_that_takes_nothing_stalls_no_call() -> None:
    def script(run: Run) -> None:
        run.call.after(1.0, lambda: run.web_sockets.opened[0].takes.clear())
        run.call.after(11.0, lambda: run.web_sockets.opened[0].takes.set())
        at(5.0, media())(run)

    run = stream(leave=20.0, stream_limits=StreamLimits(outgoing_messages=100), script=script)
    heard = [one["media"] for one in run.web_sockets.opened[0].received if one["event"] == "media"]
    chunks = [int(one["chunk"]) for one in heard]
    assert chunks == sorted(set(chunks))
    assert max(chunks) == pytest.approx(1000, abs=5)  # the gap shows
    assert len(chunks) == pytest.approx(600, abs=10)
    overruns = [details for _, kind, details in run.platform.media_stream_events if kind == "buffer_overrun"]
    assert overruns[0] == {"direction": "outgoing"}
    assert overruns[1]["milliseconds"] == pytest.approx(8000, abs=200)
    assert len(run.call.spoken) == 50
    assert run.heard == ["next."]


def test_an_other_side_that_is_dead_does_not_hold_the_call_up() -> None:
    def script(run: Run) -> None:
        run.call.after(1.0, lambda: run.web_sockets.opened[0].takes.clear())
        run.update(3.0, Update(twiml="<Response><Say>new</Say></Response>"))

    run = stream(leave=None, script=script)
    assert run.call.heard[0].at == pytest.approx(3.0)
    assert run.web_sockets.opened[0].close_code == 1000
    assert kinds(run) == ["connect", "start", "disconnect"]


def test_what_is_no_message_is_told_and_survived() -> None:
    bad: list[Any] = ["{", "[]", {"event": "nonsense"}, {"event": "media"}, media("%%%"), {"event": "mark", "mark": 1}]
    bad.append({"event": "clear", "streamSid": "another"})
    run = stream(script=at(0.5, *bad, mark("a")))
    assert kinds(run).count("error") == len(bad)
    assert marks(run) == ["a"]


def test_a_flood_of_messages_does_not_crowd_out_what_others_tell() -> None:
    run = stream(script=at(0.5, *[CLEAR] * 3000))
    assert len(run.platform.media_stream_events) < 1010
    assert kinds(run)[-1] == "disconnect"


def test_keys_of_before_are_none_of_the_stream() -> None:
    run = stream(f'<Pause length="1"/>{CONNECT}', script=each(pressing(0.5, "1"), pressing(1.5, "2")))
    assert [one["dtmf"]["digit"] for one in run.web_sockets.opened[0].received if one["event"] == "dtmf"] == ["2"]


# --- one way


def start(attributes: str = 'name="a"') -> str:
    return f'<Start><Stream url="{STREAM_URL}" {attributes}/></Start>'


def test_a_started_stream_goes_on_while_other_verbs_run_and_ends_with_the_call() -> None:
    run = stream(start() + '<Say>one</Say><Pause length="3"/><Say>two</Say>', leave=None)
    [socket] = run.web_sockets.opened
    assert socket.events("media") == ["connected", "start", "stop"]
    assert len(socket.received) == pytest.approx(250, abs=10)
    assert run.heard[0] == "one."
    assert run.call.heard[0].at == pytest.approx(0.0)
    assert kinds(run) == ["connect", "start", "disconnect"]


def test_what_is_played_to_the_caller_is_in_the_outbound_track() -> None:
    run = stream(start('track="both_tracks"') + '<Say>one</Say><Pause length="1"/>', leave=None)
    assert run.platform.media_streams[0][2] == "both"
    [socket] = run.web_sockets.opened
    assert socket.received[1]["start"]["tracks"] == ["inbound", "outbound"]
    heard = [one["media"] for one in socket.received if one["event"] == "media"]
    assert {one["track"] for one in heard} == {"inbound", "outbound"}
    out = [base64.b64decode(one["payload"]) for one in heard if one["track"] == "outbound"]
    assert out[10] != out[-5] == b"\xff" * 160
    assert [one["chunk"] for one in heard[:4]] == ["1", "1", "2", "2"]


def test_a_stream_is_stopped_by_its_name_and_goes_on_over_updates() -> None:
    stop = '<Stop><Stream name="a"/></Stop>'
    update = Update(twiml=f'<Response><Pause length="1"/>{stop}<Pause length="5"/></Response>')
    run = stream(start() + '<Pause length="60"/>', leave=None, script=lambda run: run.update(2.0, update))
    [socket] = run.web_sockets.opened
    assert socket.events("media") == ["connected", "start", "stop"]
    assert len(socket.received) == pytest.approx(150, abs=10)


def test_one_of_several_is_stopped() -> None:
    twiml = start('name="a"') + start('name="b"') + '<Pause length="1"/><Stop><Stream name="b"/></Stop>'
    run = stream(twiml + '<Pause length="2"/><Stop><Stream name="none"/></Stop>', leave=None)
    assert [round(len(socket.received), -1) for socket in run.web_sockets.opened] == [150, 50]


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        ('name="a"', "there is a stream of the name 'a' already"),
        ('name="b" track="both_tracks"', "a call has at most 4 tracks streamed at once"),
    ],
)
def test_a_stream_too_many_is_none_and_the_customer_is_told(second: str, problem: str) -> None:
    callback = 'statusCallback="https://www.example.com/streams"'
    twiml = start('name="a" track="both_tracks"') + start('name="c"') + start(f"{second} {callback}") + AFTER
    run = stream(twiml, leave=None)
    assert len(run.web_sockets.opened) == 2
    told = [asked.parameters for asked in run.server.asked if asked.url == "https://www.example.com/streams"]
    assert [(one["StreamEvent"], one["StreamError"]) for one in told] == [("stream-error", problem)]
    assert run.heard == ["next."]


def test_an_other_side_that_leaves_ends_a_started_stream_alone() -> None:
    run = stream(start() + '<Pause length="3"/>' + AFTER, leave=1.0)
    assert kinds(run) == ["connect", "start", "disconnect"]
    assert run.heard[-1] == "next."
    assert run.call.heard[-1].at == pytest.approx(3.0)


def test_a_stream_may_be_connected_while_another_is_started() -> None:
    run = stream(start('track="outbound_track"') + CONNECT + AFTER, script=at(0.2, media()), leave=2.0)
    assert len(run.web_sockets.opened) == 2
    assert run.heard == ["next."]


def test_the_customer_is_told_what_becomes_of_a_stream() -> None:
    attributes = 'name="a" statusCallback="/streams" statusCallbackMethod="GET"'
    run = stream(start(attributes) + '<Pause length="1"/>', leave=None)
    told = [asked for asked in run.server.asked if asked.url == "https://www.example.com/streams"]
    assert [(asked.method, asked.parameters["StreamEvent"]) for asked in told] == [
        ("GET", "stream-started"),
        ("GET", "stream-stopped"),
    ]
    parameters = told[0].parameters
    assert parameters["Timestamp"].endswith("Z")
    assert {name: parameters[name] for name in ("AccountSid", "CallSid", "StreamSid", "StreamName")} == {
        "AccountSid": "account",
        "CallSid": CALL_SID,
        "StreamSid": "stream-1",
        "StreamName": "a",
    }


def test_the_customer_is_told_of_a_broken_stream() -> None:
    twiml = start('statusCallback="https://www.example.com/streams"') + '<Pause length="3"/>'
    run = stream(
        twiml, leave=None, script=lambda run: run.call.after(1.0, lambda: run.web_sockets.opened[0].leave(1006))
    )
    told = [asked.parameters for asked in run.server.asked if asked.url == "https://www.example.com/streams"]
    assert [one["StreamEvent"] for one in told] == ["stream-started", "stream-error", "stream-stopped"]
    assert run.platform.media_stream_events[-1] == ("stream-1", "disconnect", {"code": 1006})


def test_nothing_said_reaches_a_log(caplog: pytest.LogCaptureFixture) -> None:
    stream(script=each(pressing(0.5, "7"), at(0.6, "secret words", media())))
    text = json.dumps([{**record.__dict__, "args": ""} for record in caplog.records], default=str)
    assert "secret words" not in text
    assert TONE_FRAME.hex() not in text
    assert URL not in [getattr(record, "digit", "") for record in caplog.records]
