"""Media streams with a bot of Pipecat's: its own Twilio serializer reads and writes every message."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from switch_app.call import Track
from switch_app.media_streams.call_streams import CallStreams
from switch_app.media_streams.conversation import StreamLimits
from switch_app.media_streams.web_sockets import PublicWebSockets
from switch_app.services import StreamRequest
from tests.containers.switch_app.media_streams.test_web_sockets import LOCAL
from tests.fakes.call import FakeCall
from tests.fakes.switch_services import FakeDocuments, FakePlatform
from tests.support.bot import Bot, BotStream
from tests.support.speech_codec import loudness
from tests.support.switch_session import properties

twilio = pytest.importorskip(
    "pipecat.serializers.twilio", reason="pipecat-ai (tests/voice-bot-requirements.txt) is not installed"
)
frames = pytest.importorskip("pipecat.frames.frames")


class _LoopBack:
    """A bot that repeats what it hears, and falls silent when a key is pressed."""

    def __init__(self) -> None:
        self.received: list[Any] = []

    async def act(self, stream: BotStream) -> None:
        """Do it, with frames as Pipecat's pipelines have them."""
        await stream.until_event("start")
        started = stream.messages[1]["start"]
        quiet = twilio.TwilioFrameSerializer.InputParams(auto_hang_up=False)
        serializer = twilio.TwilioFrameSerializer(started["streamSid"], call_sid=started["callSid"], params=quiet)
        await serializer.setup(SimpleNamespace(audio_in_sample_rate=16_000))
        done = 0
        while not stream.closed.is_set():
            await asyncio.sleep(0.005)
            for message in [{"event": "media", "media": one} for one in stream.media[done:]]:
                done += 1
                heard = await serializer.deserialize(json.dumps(message))
                if heard is not None:
                    self.received.append(heard)
                    said = frames.OutputAudioRawFrame(heard.audio, heard.sample_rate, 1)
                    text = await serializer.serialize(said)
                    if text:
                        await stream.socket.send(text)
            for key in _keys(stream):
                stream.messages.remove(key)
                self.received.append(await serializer.deserialize(json.dumps(key)))
                await stream.socket.send(await serializer.serialize(frames.InterruptionFrame()))
                mark = {"event": "mark", "streamSid": started["streamSid"], "mark": {"name": "cleared"}}
                await stream.socket.send(await serializer.serialize(frames.OutputTransportMessageFrame(mark)))


def _keys(stream: BotStream) -> list[dict[str, Any]]:
    return [message for message in stream.messages if message["event"] == "dtmf"]


async def test_a_caller_hears_what_pipecat_repeats_and_its_keys_interrupt_it() -> None:
    bot, call, platform = _LoopBack(), FakeCall(is_answered=True), FakePlatform()
    sockets = PublicWebSockets(LOCAL, "audio.somleng.org")
    streams = CallStreams(properties(), platform, FakeDocuments(), sockets, StreamLimits())
    async with Bot(bot.act) as server:
        request = StreamRequest(server.url, [Track.INBOUND])
        connecting = asyncio.ensure_future(streams.connect(call, request, asyncio.ensure_future))
        stream = await server.next_stream()
        await asyncio.sleep(0.3)
        call.talk(0.6)
        await asyncio.sleep(1.2)
        call.press("4")
        await stream.until_event("mark")
        call.end()
        await asyncio.wait_for(connecting, 3)
    await sockets.close()

    audio = [frame for frame in bot.received if isinstance(frame, frames.InputAudioRawFrame)]
    assert {(frame.sample_rate, frame.num_channels) for frame in audio} == {(16_000, 1)}
    assert sum(len(frame.audio) for frame in audio) == pytest.approx(1.5 * 32_000, rel=0.25)
    [key] = [frame for frame in bot.received if isinstance(frame, frames.InputDTMFFrame)]
    assert key.button.value == "4"
    loud = [at for at, frame in call.spoken if loudness(_samples(frame)) > 1000]
    assert 0.4 * 50 <= len(loud) <= 0.8 * 50
    kinds = [kind for _, kind, _ in platform.media_stream_events]
    assert "error" not in kinds
    assert {"socket_clear", "socket_mark", "mark"} <= set(kinds)


def _samples(frame: bytes) -> list[int]:
    return [int.from_bytes(frame[at : at + 2], "little", signed=True) for at in range(0, len(frame), 2)]
