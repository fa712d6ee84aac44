"""How a call is handed over: here the test is FreeSWITCH."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from switch_app.errors import CallEnded
from switch_app.freeswitch.channel import Channel
from switch_app.freeswitch.handover import HandoverServer
from switch_app.freeswitch.messages import Event
from tests.containers.switch_app.whole_app import free_port

_OK = b"Content-Type: command/reply\nReply-Text: +OK\n\n"
_CHANNEL = b"Content-Type: command/reply\nReply-Text: +OK\nUnique-ID: u-1\nAnswer-State: ringing\n\n"


def _event(name: str, headers: str = "") -> bytes:
    inner = f"Event-Name: {name}\nUnique-ID: u-1\n{headers}\n".encode()
    return f"Content-Length: {len(inner)}\nContent-Type: text/event-plain\n\n".encode() + inner


async def _hand_over(run: Callable[[Channel], object], *events: bytes) -> tuple[Channel, float]:
    """Hand a call over, tell events together with the answers; return the channel once the app lets go of it, and the
    seconds that it took."""
    told: list[Event] = []
    let_go: asyncio.Future[Channel] = asyncio.get_running_loop().create_future()

    async def take(channel: Channel) -> None:
        run(channel)
        with suppress(CallEnded):
            raise CallEnded(await channel.ended)

    server = HandoverServer(("127.0.0.1", port := free_port()), take, let_go.set_result, told.append)
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        commands = [await reader.readuntil(b"\n\n") for _ in range(4)]
        assert [line.split()[0] for line in commands] == [b"connect", b"linger", b"myevents", b"nixevent"]
        began = asyncio.get_running_loop().time()
        writer.write(_CHANNEL + _OK * 3 + b"".join(events))
        async with asyncio.timeout(5):
            channel = await let_go
            assert await reader.read() == b""
        assert [event.name for event in told][-1] == "CHANNEL_HANGUP_COMPLETE"
        assert len(told) == len(events)
        return channel, asyncio.get_running_loop().time() - began
    finally:
        writer.close()
        await server.close()


async def test_what_comes_in_one_piece_with_the_answers_is_not_lost() -> None:
    answered = []
    ends = _event("CHANNEL_HANGUP", "Hangup-Cause: USER_BUSY\n"), _event("CHANNEL_HANGUP_COMPLETE")
    channel, _ = await _hand_over(lambda channel: answered.append(channel.is_answered), _event("CHANNEL_ANSWER"), *ends)
    assert answered == [True]
    assert channel.ended.result() == "USER_BUSY"


async def test_a_call_of_which_all_is_told_is_let_go_of_at_once() -> None:
    """FreeSWITCH keeps the session as long as the connection lasts, and takes so many and no more."""
    end = _event("CHANNEL_HANGUP_COMPLETE", "Hangup-Cause: NORMAL_CLEARING\nvariable_sip_term_status: 200\n")
    channel, seconds = await _hand_over(lambda _: None, end)
    assert channel.last_event.variable("sip_term_status") == "200"
    assert seconds < 2
