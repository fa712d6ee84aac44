"""Media streams with real FreeSWITCH: a phone and a bot hear each other."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.switch_app.app_world import World, app_world
from tests.fakes.customer_server import Reply, twiml
from tests.support.bot import Bot, BotStream
from tests.support.freeswitch import FreeSwitchProcess
from tests.support.phone import Phone
from tests.support.speech_codec import loudness, share_of, tone
from tests.support.wav_bytes import wav


@pytest.fixture
async def world(
    aws: None, freeswitch_process: FreeSwitchProcess, phone: Phone, other_phone: Phone, tmp_path: Path
) -> AsyncIterator[World]:
    async with app_world(freeswitch_process, phone, other_phone, tmp_path) as world:
        yield world


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    async with Bot() as bot:
        yield bot


def connect(bot: Bot) -> str:
    return f'<Connect><Stream url="{bot.url}"><Parameter name="foo" value="bar"/></Stream></Connect>'


def music(world: World, frequency: int, seconds: float) -> str:
    reply = Reply(wav(tone(frequency, seconds)), headers=[("Content-Type", "audio/wav")])
    return f"<Play>{world.customer.reply(f'/{frequency}.wav', reply)}</Play>"


def told(world: World, *leaving_out: str) -> list[str]:
    kinds = [event["event"]["type"] for event in world.platform.media_stream_events]
    return [kind for kind in kinds if kind not in leaving_out]


async def test_a_caller_and_a_bot_hear_each_other_and_then_the_document_goes_on(world: World, bot: Bot) -> None:
    end = await world.call(connect(bot) + music(world, 1700, 1.5))
    stream = await bot.next_stream()
    assert stream.socket.subprotocol == "audio.somleng.org"
    assert stream.messages[1]["start"]["customParameters"] == {"foo": "bar"}

    end.say(tone(440, 1))
    await asyncio.sleep(1.3)
    heard = stream.heard()
    assert max(share_of(440, heard[at : at + 1600]) for at in range(0, len(heard) - 1600, 800)) > 0.98

    begin = len(end.heard)
    await stream.say(tone(600, 1))
    await stream.mark("said")
    await stream.until_event("mark")
    spoken = end.heard[begin:]
    assert max(share_of(600, spoken[at : at + 1600]) for at in range(0, len(spoken) - 1600, 160)) > 0.98
    assert sum(abs(sample) > 100 for sample in spoken) > 0.85 * 8000

    end.press("7")
    assert (await stream.until_event("dtmf"))["dtmf"] == {"track": "inbound_track", "digit": "7"}

    chunks = [int(one["chunk"]) for one in stream.media]
    assert chunks == list(range(1, len(chunks) + 1))
    await stream.socket.close()
    await asyncio.sleep(0.6)
    assert share_of(1700, end.heard[-1600:]) > 0.98
    await asyncio.wait_for(end.ended.wait(), 5)
    await world.until(lambda: told(world)[-1:] == ["disconnect"])
    assert told(world) == ["connect", "start", "socket_mark", "mark", "dtmf", "disconnect"]


async def test_a_long_burst_is_heard_in_real_time_and_can_be_cleared(world: World, bot: Bot) -> None:
    end = await world.call(connect(bot))
    stream = await bot.next_stream()
    await stream.say(tone(600, 30))
    await stream.mark("never")
    await asyncio.sleep(1.0)
    assert "mark" not in stream.events()
    assert share_of(600, end.heard[-1600:]) > 0.98
    await stream.clear()
    assert (await stream.until_event("mark", 0.5))["mark"] == {"name": "never"}
    await asyncio.sleep(0.3)
    assert loudness(end.heard[-800:]) < 10
    end.hang_up()
    await stream.until_event("stop")
    await asyncio.wait_for(stream.closed.wait(), 3)


async def test_a_bot_that_repeats_what_it_heard(world: World, bot: Bot) -> None:
    """The caller speaks, presses a key, hears what was said, and then the document goes on."""
    end = await world.call(connect(bot) + music(world, 1700, 1.5))
    stream = await bot.next_stream()
    end.say(tone(440, 1.5))
    await asyncio.sleep(1.8)
    end.press("1")
    await stream.until_event("dtmf")
    begin = len(end.heard)
    await stream.say(stream.heard())
    await stream.mark("audio")
    await stream.until_event("mark", 10)
    await stream.socket.close()
    await asyncio.wait_for(end.ended.wait(), 5)
    heard = end.heard[begin:]
    assert sum(share_of(440, heard[at : at + 800]) > 0.95 for at in range(0, len(heard), 800)) >= 13
    assert sum(share_of(1700, heard[at : at + 800]) > 0.95 for at in range(0, len(heard), 800)) >= 13


async def test_an_update_ends_the_stream_and_the_new_document_runs(world: World, bot: Bot) -> None:
    identifier, end = await world.make_call(connect(bot))
    stream = await bot.next_stream()
    await stream.say(tone(600, 30))
    await asyncio.sleep(0.3)
    update: dict[str, Any] = {"twiml": twiml(music(world, 1700, 1.5)).body}
    await world.request("PATCH", f"/calls/{identifier}", update)
    await stream.until_event("stop", 1)
    await asyncio.sleep(0.7)
    assert share_of(1700, end.heard[-1600:]) > 0.98
    await asyncio.wait_for(end.ended.wait(), 5)
    await world.until(lambda: told(world) == ["connect", "start", "disconnect"])


async def test_a_started_stream_hears_both_sides_while_other_verbs_run(world: World, bot: Bot) -> None:
    world.platform.routing = {"host": world.callee.address}
    start = f'<Start><Stream name="a" url="{bot.url}" track="both_tracks"/></Start>'
    stop = '<Stop><Stream name="a"/></Stop>'
    end = await world.call(f"{start}{music(world, 600, 1)}<Dial>85510551006</Dial>{stop}{music(world, 800, 1)}")
    stream = await bot.next_stream()
    end.say(tone(440, 1))
    callee = await world.callee.next_call()
    await callee.answer()
    await asyncio.sleep(0.3)
    callee.say(tone(1000, 1))
    await asyncio.sleep(1.3)
    callee.hang_up()
    await stream.until_event("stop", 3)
    assert _has(440, stream.heard("inbound"))
    assert _has(600, stream.heard("outbound"))
    assert _has(1000, stream.heard("outbound"))
    assert not _has(800, stream.heard("outbound"))
    for track in ("inbound", "outbound"):
        chunks = [int(one["chunk"]) for one in stream.media if one["track"] == track]
        assert chunks == list(range(1, len(chunks) + 1))
    await asyncio.wait_for(end.ended.wait(), 5)


async def test_several_streams_and_recordings_do_not_disturb_each_other(world: World, bot: Bot) -> None:
    start = f'<Start><Stream url="{bot.url}" track="outbound_track"/></Start>'
    record = '<Record maxLength="2" playBeep="false" trim="do-not-trim" action="/recorded"/>'
    world.customer.reply("/recorded", twiml(connect(bot)))
    end = await world.call(start + record)
    listening = await bot.next_stream()
    end.say(tone(440, 1.5))
    talking = await bot.next_stream(8)
    await talking.say(tone(600, 0.5))
    await talking.mark("said")
    await talking.until_event("mark")
    await asyncio.sleep(0.2)
    assert _has(600, listening.heard("outbound"))  # what a bot says is heard by who listens
    assert not _has(440, listening.heard("outbound"))
    end.hang_up()
    for stream in (listening, talking):
        await stream.until_event("stop")
    assert world.form("/recorded")["RecordingDuration"] == "2"


async def test_a_bot_that_is_killed_leaves_the_call_alive(world: World) -> None:
    async def act(stream: BotStream) -> None:
        await stream.until_event("start")
        stream.socket.transport.abort()

    async with Bot(act) as bot:
        end = await world.call(connect(bot) + music(world, 1700, 1))
        await asyncio.sleep(1)
        assert share_of(1700, end.heard[-1600:]) > 0.98
        await world.until(lambda: told(world) == ["connect", "start", "disconnect"])
        end.hang_up()


def _has(frequency: int, samples: list[int]) -> bool:
    """Whether there is half a second of a tone."""
    tenths = [samples[at : at + 800] for at in range(0, len(samples) - 800, 800)]
    return sum(loudness(tenth) > 1000 and share_of(frequency, tenth) > 0.9 for tenth in tenths) >= 4
