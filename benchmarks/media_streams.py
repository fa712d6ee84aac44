"""Media streams both ways at once: what a call's audio waits on its way through the app, and what a stream costs.

Three processes: one is FreeSWITCH's end of each call's pipes and writes a frame every 20 ms in real time, one is the
app's side with everything from the pipe to the WebSocket, one is a bot that sends back every message as it is. A frame
is timed from when it goes into a call's pipe until its echo is in the other one. Beside it, in the same run and with
the same bot: a plain client of `websockets` that sends text of the same size at the same pace and times its echo. All
of them run on the app's event loop. Frames that come more than two seconds late count as lost.

    make bench, or python -m benchmarks.media_streams [--streams 50 100 200] [--seconds 5]
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from ipaddress import ip_network
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

import uvloop
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from switch_app.call import FRAME_BYTES, FRAME_SECONDS, SILENCE_FRAME, Media, Track
from switch_app.freeswitch.audio_pipes import HeardPipe, SpokenPipe
from switch_app.media_streams.audio import to_linear
from switch_app.media_streams.call_streams import CallStreams
from switch_app.media_streams.conversation import StreamLimits
from switch_app.media_streams.web_sockets import PublicWebSockets
from switch_app.services import StreamRequest
from tests.fakes.switch_services import FakeDocuments, FakePlatform
from tests.support.switch_session import properties

T = TypeVar("T")

_GOAL_STREAMS, _GOAL_MILLISECONDS = 200, 20.0
_WARM_SECONDS = 2.0
_GROUPS = 20
"""Calls do not speak at the same moment: they are spread over the 20 ms."""

_SIGNS = [to_linear(bytes([byte]) * 160) for byte in range(128, 228)]
"""Frames that are told apart: a hundred, two seconds."""
_NUMBERS = {frame: number for number, frame in enumerate(_SIGNS)}


async def _bot(ready: Connection) -> None:
    async def echo(socket: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in socket:
                await socket.send(text)

    async with serve(echo, "127.0.0.1", 0, compression=None) as server:
        ready.send(next(iter(server.sockets)).getsockname()[1])
        await asyncio.Event().wait()


class _PipedCall:
    """A call whose audio goes through pipes, as FreeSWITCH's does."""

    def __init__(self, directory: Path, number: int) -> None:
        self.paths = directory / f"heard-{number}.raw", directory / f"spoken-{number}.raw"
        self.taken = asyncio.Event()

    @contextlib.asynccontextmanager
    async def media(self, hear: Callable[[bytes], None], speak: Callable[[bool], bytes | None]) -> AsyncIterator[Media]:
        spoken = SpokenPipe(self.paths[1], speak)

        def take(frame: bytes) -> None:
            hear(frame)
            spoken.beat()

        heard = HeardPipe(self.paths[0], FRAME_BYTES, take)
        self.taken.set()
        try:
            yield spoken
        finally:
            heard.close()
            spoken.close()

    def discard_digits(self) -> None:
        """Have no keys."""

    async def next_digit(self, timeout: float | None) -> str | None:
        await asyncio.Event().wait()
        return None

    async def wait_until_ended(self) -> str:
        await asyncio.Event().wait()
        return ""


async def _app(ready: Connection, directory: Path, port: int, streams: int) -> None:
    sockets = PublicWebSockets((ip_network("127.0.0.0/8"),), "audio.somleng.org")
    calls = [_PipedCall(directory, number) for number in range(streams)]
    request = StreamRequest(f"ws://127.0.0.1:{port}/", [Track.INBOUND])
    said, register, documents = properties(), FakePlatform(), FakeDocuments()
    kept = []
    for call in calls:
        served = CallStreams(said, register, documents, sockets, StreamLimits())
        kept.append(asyncio.ensure_future(served.connect(call, request, asyncio.ensure_future)))  # type: ignore[arg-type]
        await call.taken.wait()
    ready.send(True)
    await _report_cpu(ready)


async def _report_cpu(ready: Connection) -> None:
    """Tell this process's CPU seconds whenever it is asked."""

    def tell() -> None:
        ready.recv()
        ready.send(_cpu())

    asyncio.get_running_loop().add_reader(ready.fileno(), tell)
    await asyncio.Event().wait()


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def _calls(directory: Path, streams: int, seconds: float, cpu: Callable[[], float]) -> Mapping[str, Any]:
    """Be FreeSWITCH's end of the pipes; return what was measured once it is warm."""
    loop = asyncio.get_running_loop()
    heard = [os.open(directory / f"heard-{number}.raw", os.O_WRONLY) for number in range(streams)]
    spoken = [os.open(directory / f"spoken-{number}.raw", os.O_RDONLY | os.O_NONBLOCK) for number in range(streams)]
    sent = [dict[int, float]() for _ in range(streams)]
    delays: list[float] = []

    def read(stream: int) -> None:
        data = os.read(spoken[stream], 64 * 1024)
        now = time.perf_counter()
        for at in range(0, len(data), FRAME_BYTES):
            frame = data[at : at + FRAME_BYTES]
            if frame != SILENCE_FRAME and (began := sent[stream].pop(_NUMBERS[frame], None)) is not None:
                delays.append(now - began)

    for stream, descriptor in enumerate(spoken):
        loop.add_reader(descriptor, read, stream)

    def write(stream: int, beat: int) -> None:
        number = beat % len(_SIGNS)
        sent[stream][number] = time.perf_counter()
        os.write(heard[stream], _SIGNS[number])

    await _beat(streams, _WARM_SECONDS, write)
    delays.clear()
    began = cpu()
    beats = await _beat(streams, seconds, write, round(_WARM_SECONDS / FRAME_SECONDS))
    used = cpu() - began
    await asyncio.sleep(0.3)
    for descriptor in spoken:
        loop.remove_reader(descriptor)
    for descriptor in heard + spoken:
        os.close(descriptor)
    return {"delays": delays, "cpu": used / seconds, "lost": beats * streams - len(delays)}


async def _plain(port: int, streams: int, seconds: float) -> Mapping[str, Any]:
    """Send text of the same size with a plain client; return what was measured once it is warm."""
    sockets = [await connect(f"ws://127.0.0.1:{port}/", compression=None) for _ in range(streams)]
    filling = "x" * 370  # with the number, the size of a media message
    sent = [dict[int, float]() for _ in range(streams)]
    delays: list[float] = []

    async def read(stream: int) -> None:
        async for text in sockets[stream]:
            delays.append(time.perf_counter() - sent[stream].pop(json.loads(text)["n"]))

    readers = [asyncio.ensure_future(read(stream)) for stream in range(streams)]
    sending: set[asyncio.Task[None]] = set()

    def write(stream: int, beat: int) -> None:
        sent[stream][beat] = time.perf_counter()
        task = asyncio.ensure_future(sockets[stream].send(json.dumps({"n": beat, "filling": filling})))
        sending.add(task)
        task.add_done_callback(sending.discard)

    await _beat(streams, _WARM_SECONDS, write)
    delays.clear()
    began = _cpu()
    beats = await _beat(streams, seconds, write, round(_WARM_SECONDS / FRAME_SECONDS))
    used = _cpu() - began
    await asyncio.sleep(0.3)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*(socket.close() for socket in sockets), return_exceptions=True)
    return {"delays": delays, "cpu": used / seconds, "lost": beats * streams - len(delays)}


async def _beat(streams: int, seconds: float, write: Callable[[int, int], None], first: int = 0) -> int:
    """Write a frame of each stream every 20 ms; return how many of each there were."""
    loop = asyncio.get_running_loop()
    due, beats = loop.time(), round(seconds / FRAME_SECONDS)
    for beat in range(first, first + beats):
        for group in range(_GROUPS):
            for stream in range(group, streams, _GROUPS):
                write(stream, beat)
            due += FRAME_SECONDS / _GROUPS
            await asyncio.sleep(max(0.0, due - loop.time()))
    return beats


def _run(role: str, ready: Connection, *arguments: Any) -> None:
    work: dict[str, Any] = {"bot": _bot, "app": _app, "plain": _measured_plain}
    with contextlib.suppress(KeyboardInterrupt):
        _run_as_the_app_does(work[role](ready, *arguments))


def _run_as_the_app_does(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


async def _measured_plain(ready: Connection, port: int, streams: int, seconds: float) -> None:
    ready.send(await _plain(port, streams, seconds))


@contextlib.contextmanager
def _process(role: str, *arguments: Any) -> Any:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(role, there, *arguments), daemon=True)
    process.start()
    try:
        yield here
    finally:
        process.kill()
        process.join()


def _measure_app(port: int, streams: int, seconds: float) -> Mapping[str, Any]:
    with tempfile.TemporaryDirectory() as name, _process("app", Path(name), port, streams) as app:
        app.recv()

        def cpu() -> float:
            app.send(True)
            used: float = app.recv()
            return used

        return _run_as_the_app_does(_calls(Path(name), streams, seconds, cpu))


def _show(name: str, streams: int, measured: Mapping[str, Any]) -> float:
    delays: list[float] = [delay * 1000 for delay in measured["delays"]]
    p99: float = statistics.quantiles(delays, n=100)[98]
    milliseconds: float = measured["cpu"] / streams * 1000
    print(
        f"{name:12}{streams:8}{statistics.median(delays):12.2f}{p99:10.2f}{max(delays):10.1f}"
        f"{milliseconds:14.2f}{1000 / milliseconds:16.0f}{measured['lost']:8}",
        flush=True,
    )
    return p99


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--streams", type=int, nargs="+", default=[50, 100, _GOAL_STREAMS])
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args(arguments)
    columns = f"{'':12}{'streams':>8}{'median, ms':>12}{'p99':>10}{'max':>10}"
    print(f"{columns}{'CPU ms/s each':>14}{'a core holds':>16}{'lost':>8}")
    within = 0
    with _process("bot") as bot:
        port = bot.recv()
        for streams in options.streams:
            p99 = _show("app", streams, _measure_app(port, streams, options.seconds))
            within = streams if p99 < _GOAL_MILLISECONDS else within
            with _process("plain", port, streams, options.seconds) as plain:
                _show("websockets", streams, plain.recv())
    print(f"most streams with p99 under {_GOAL_MILLISECONDS:g} ms: {within} (goal: {_GOAL_STREAMS})")
    print("The bot and the calls share the machine's cores with what is measured.")


if __name__ == "__main__":
    main(sys.argv[1:])
