"""From mouth to ear: how long a caller's sound takes through FreeSWITCH, the app and a bot that repeats it, and back.

A phone makes short bursts of a tone and notes when it hears each. The bot is a WebSocket server in this process that
sends back every media message with a sound in it, as a bot speaks: in utterances; FreeSWITCH is real. Beside it: the
same bursts with FreeSWITCH's own `echo`, which has nothing of ours in it. Each figure has up to 20 ms of the phone's
own rhythm in it; phone, app and bot share a process.

    make bench, or python -m benchmarks.media_streams_delay [--bursts 15]
"""

import argparse
import asyncio
import base64
import contextlib
import json
import statistics
import tempfile
from collections.abc import Awaitable, Callable
from ipaddress import ip_network
from pathlib import Path

import uvloop

from switch_app.call import Call, Track
from switch_app.freeswitch.call import FreeSwitchCall
from switch_app.freeswitch.event_socket import EventSocketAddress
from switch_app.freeswitch.telephony import FreeSwitch, FreeSwitchSettings
from switch_app.media_streams.call_streams import CallStreams
from switch_app.media_streams.conversation import StreamLimits
from switch_app.media_streams.web_sockets import PublicWebSockets
from switch_app.services import StreamRequest
from switch_app.telephony import CallEvent
from tests.fakes.switch_services import FakeDocuments, FakePlatform
from tests.support import freeswitch
from tests.support.bot import Bot, BotStream
from tests.support.freeswitch import FreeSwitchProcess
from tests.support.loopback import LoopbackNetwork
from tests.support.phone import Phone, PhoneCall
from tests.support.speech_codec import tone
from tests.support.switch_session import properties

_BURST_SECONDS, _PAUSE_SECONDS = 0.06, 0.5
_LOUD = 2000
_SILENT = {0xFF, 0x7F}
"""Zero in µ-law."""


class _Handler:
    """Takes the next call, and does something with it."""

    def __init__(self) -> None:
        self.act: Callable[[Call], Awaitable[None]] | None = None

    async def handle(self, call: Call) -> None:
        await call.answer({})
        assert self.act is not None
        await self.act(call)

    def note(self, event: CallEvent) -> None:
        """Take notice of nothing."""


async def _repeat(stream: BotStream) -> None:
    await stream.until_event("start")
    done = 0
    while not stream.closed.is_set():
        await asyncio.sleep(0.001)
        for content in stream.media[done:]:
            done += 1
            if set(base64.b64decode(content["payload"])) <= _SILENT:
                continue
            await stream.socket.send(json.dumps({"event": "media", "streamSid": stream.sid, "media": content}))


async def _bursts(end: PhoneCall, count: int) -> list[float]:
    """Return the milliseconds from each burst until it is heard."""
    loop = asyncio.get_running_loop()
    times = []
    for _ in range(count):
        await asyncio.sleep(_PAUSE_SECONDS)
        begin, began = len(end.heard), loop.time()
        end.say(tone(1000, _BURST_SECONDS, 16_000))
        async with asyncio.timeout(3):
            while not any(abs(sample) > _LOUD for sample in end.heard[begin:]):
                begin = len(end.heard)
                await asyncio.sleep(0.001)
        times.append((loop.time() - began) * 1000)
    return times


async def _measure(count: int) -> None:
    network = LoopbackNetwork()
    address, handler = network.address(), _Handler()
    sockets = PublicWebSockets((ip_network("127.0.0.0/8"),), "audio.somleng.org")

    async def echo(call: Call) -> None:
        assert isinstance(call, FreeSwitchCall)
        await call._channel.execute("echo")

    async with contextlib.AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fs-")))
        process = stack.enter_context(FreeSwitchProcess(directory, address, f"{address}:8084"))
        socket = EventSocketAddress(address, 8021, freeswitch.PASSWORD)
        telephony = FreeSwitch(FreeSwitchSettings(socket, (address, 8084), pipes=directory / "pipes"), handler)
        await telephony.start()
        await telephony.wait_until_ready()
        phone = await stack.enter_async_context(Phone(network.address()))
        bot = await stack.enter_async_context(Bot(_repeat))

        async def stream(call: Call) -> None:
            streams = CallStreams(properties(), FakePlatform(), FakeDocuments(), sockets, StreamLimits())
            await streams.connect(call, StreamRequest(bot.url, [Track.INBOUND]), asyncio.ensure_future)

        print(f"{'':28}{'median, ms':>12}{'least':>10}{'most':>10}")
        for name, act in (("FreeSWITCH's echo", echo), ("media stream and bot", stream)):
            handler.act = act
            end = await phone.call(address, "1000")
            await asyncio.wait_for(end.final, 5)
            times = await _bursts(end, count)
            end.hang_up()
            print(f"{name:28}{statistics.median(times):12.1f}{min(times):10.1f}{max(times):10.1f}", flush=True)
        await telephony.close()
        process.stop(kill=True)
    await sockets.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bursts", type=int, default=15)
    options = parser.parse_args()
    if freeswitch.BINARY is None:
        print(f"left out: {freeswitch.MISSING}")
        return
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as the app has it
        runner.run(_measure(options.bursts))


if __name__ == "__main__":
    main()
