"""A channel runs one application at a time; each is over when FreeSWITCH says so, or the channel is gone."""

import asyncio

import pytest

from switch_app.errors import CallEnded, MediaServerError
from switch_app.freeswitch.channel import Channel
from switch_app.freeswitch.messages import Event, Message


class Socket:
    """What a channel needs of its connection; it notes what was sent."""

    def __init__(self) -> None:
        self.pieces: list[list[str]] = []
        self.sent: list[dict[str, str]] = []
        self.api_lines: list[str] = []
        self.reply = "+OK"
        self.replies: dict[str, str] = {}
        self.closed = False

    def write(self, *commands: bytes) -> list[asyncio.Future[Message]]:
        self.pieces.append([command.split()[0].decode() for command in commands])
        return [self._answer(command) for command in commands]

    def _answer(self, command: bytes) -> asyncio.Future[Message]:
        head, _, body = command.decode().partition("\n\n")
        line, *rest = head.split("\n")
        if line.startswith("api "):
            self.api_lines.append(line.removeprefix("api "))
        else:
            self.sent.append({**dict(header.split(": ", 1) for header in rest), "body": body})
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        reply = self.replies.get(line.split()[0], self.reply)
        answer.set_result(Message({"Content-Type": "command/reply", "Reply-Text": reply}))
        return answer

    async def api(self, line: str) -> str:
        return (await self._answer(f"api {line}\n\n".encode())).reply

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def socket() -> Socket:
    return Socket()


@pytest.fixture
async def channel(socket: Socket) -> Channel:
    return Channel(socket, Event({"Unique-ID": "1", "Answer-State": "answered"}))  # type: ignore[arg-type]


async def begun(socket: Socket, number: int = 1) -> str:
    """Wait until an application was begun and return its identifier."""
    async with asyncio.timeout(2):
        while len(socket.sent) < number:
            await asyncio.sleep(0.001)
    return socket.sent[number - 1]["Event-UUID"]


def complete(channel: Channel, identifier: str, **headers: str) -> None:
    channel.take(
        Event({"Event-Name": "CHANNEL_EXECUTE_COMPLETE", "Unique-ID": "1", "Application-UUID": identifier, **headers})
    )


def hang_up(channel: Channel, name: str = "CHANNEL_HANGUP_COMPLETE") -> None:
    channel.take(Event({"Event-Name": name, "Unique-ID": "1", "Hangup-Cause": "NORMAL_CLEARING"}))


async def test_an_argument_travels_as_it_stands(channel: Channel, socket: Socket) -> None:
    running = asyncio.ensure_future(channel.execute("speak", "flite|kal|a\n\nb: ${c}"))
    complete(channel, await begun(socket), **{"Application-Response": "done"})
    assert (await running).headers["Application-Response"] == "done"
    assert socket.sent[0]["body"] == "flite|kal|a\n\nb: ${c}"


async def test_an_application_that_is_queued_when_the_call_ends_is_over(channel: Channel, socket: Socket) -> None:
    running = asyncio.ensure_future(channel.execute("playback", "a"))
    await begun(socket)
    hang_up(channel)
    with pytest.raises(CallEnded, match="NORMAL_CLEARING"):
        await asyncio.wait_for(running, 0.5)


async def test_what_a_hang_up_ends_is_waited_for(channel: Channel, socket: Socket) -> None:
    recording = asyncio.ensure_future(channel.execute_to_end("record", "a"))
    identifier = await begun(socket)
    hang_up(channel, "CHANNEL_HANGUP")
    await asyncio.sleep(0.01)
    assert not recording.done()
    complete(channel, identifier)
    assert await asyncio.wait_for(recording, 0.5) is not None


async def test_a_cancelled_application_is_broken_off_until_it_is_over(channel: Channel, socket: Socket) -> None:
    running = asyncio.ensure_future(channel.execute("playback", "a"))
    identifier = await begun(socket)
    running.cancel()
    async with asyncio.timeout(2):
        while len(socket.api_lines) < 2:  # the first break came too early to count
            await asyncio.sleep(0.01)
    assert not running.done()
    running.cancel()
    complete(channel, identifier)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 0.5)
    assert set(socket.api_lines) == {"uuid_break 1"}


async def test_a_session_that_is_gone_is_a_call_that_has_ended(channel: Channel, socket: Socket) -> None:
    socket.reply = "-ERR invalid session id [1]"
    with pytest.raises(CallEnded):
        await asyncio.wait_for(channel.execute("playback", "a"), 0.5)


async def test_an_application_that_is_refused_is_named(channel: Channel, socket: Socket) -> None:
    socket.reply = "-ERR no reply"
    with pytest.raises(MediaServerError, match="playback"):
        await asyncio.wait_for(channel.execute("playback", "a"), 0.5)


@pytest.mark.parametrize(
    "variables", [{"a": "b;c=d"}, {"a": "b'"}, {"a": "b\nc"}, {"a=b": "c"}, {"a": ""}, {"a": "b\\,c"}]
)
async def test_a_variable_that_could_set_another_is_refused(
    channel: Channel, socket: Socket, variables: dict[str, str]
) -> None:
    with pytest.raises(MediaServerError, match="not plain"):
        await channel.set_variables(variables)
    assert socket.api_lines == []


async def test_variables_are_set_and_an_application_is_run_in_one_piece(channel: Channel, socket: Socket) -> None:
    running = asyncio.ensure_future(channel.set_variables_and_execute({"record_cdr": "true"}, "pre_answer"))
    identifier = await begun(socket)
    assert socket.pieces == [["api", "sendmsg"]]
    assert socket.api_lines == ["uuid_setvar_multi 1 record_cdr=true"]
    await asyncio.sleep(0.01)
    assert not running.done()
    complete(channel, identifier)
    await asyncio.wait_for(running, 0.5)


async def test_a_channel_that_goes_once_variables_are_set_is_told_by_what_comes_next(
    channel: Channel, socket: Socket
) -> None:
    running = asyncio.ensure_future(channel.set_variables_and_execute({"record_cdr": "true"}, "pre_answer"))
    await begun(socket)
    hang_up(channel)
    await asyncio.wait_for(running, 0.5)
    with pytest.raises(CallEnded, match="NORMAL_CLEARING"):
        await channel.execute("answer")


async def test_a_channel_that_is_gone_before_variables_are_set_has_ended(channel: Channel, socket: Socket) -> None:
    socket.replies = {"api": "-ERR No such channel!", "sendmsg": "-ERR invalid session id [1]"}
    with pytest.raises(CallEnded):
        await asyncio.wait_for(channel.set_variables_and_execute({"record_cdr": "true"}, "pre_answer"), 0.5)


async def test_variables_are_set_at_once(channel: Channel, socket: Socket) -> None:
    await channel.set_variables({"record_cdr": "true", "cgr_reqtype": "*prepaid", "cgr_destination": "+855 1"})
    assert socket.api_lines == ["uuid_setvar_multi 1 record_cdr=true;cgr_reqtype=*prepaid;cgr_destination=+855 1"]
