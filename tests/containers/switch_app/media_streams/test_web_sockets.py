"""WebSockets to a bot on this machine, whose implementation is not the app's."""

import asyncio
import contextlib
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from twilio.request_validator import RequestValidator
from websockets.exceptions import ConnectionClosed

from switch_app.call import Track
from switch_app.errors import FetchFailed
from switch_app.media_streams.call_streams import CallStreams
from switch_app.media_streams.conversation import StreamLimits
from switch_app.media_streams.web_sockets import PublicWebSockets
from switch_app.services import StreamRequest
from tests.fakes.call import FakeCall
from tests.fakes.customer_server import CustomerServer, Reply, redirect
from tests.fakes.switch_services import FakeDocuments, FakePlatform
from tests.support.bot import Bot, BotStream
from tests.support.speech_codec import loudness, share_of, tone
from tests.support.switch_session import properties

LOCAL = (ip_network("127.0.0.0/8"),)


@pytest.fixture
async def sockets() -> AsyncIterator[PublicWebSockets]:
    sockets = PublicWebSockets(LOCAL, "audio.somleng.org", seconds=0.5)
    yield sockets
    await sockets.close()


def streams_to(sockets: PublicWebSockets, platform: FakePlatform, **limits: int) -> CallStreams:
    return CallStreams(properties(), platform, FakeDocuments(), sockets, StreamLimits(**limits))


async def connected(streams: CallStreams, call: FakeCall, url: str) -> "asyncio.Task[None]":
    request = StreamRequest(url, [Track.INBOUND])
    return asyncio.ensure_future(streams.connect(call, request, asyncio.ensure_future))


async def test_a_call_and_a_bot_hear_each_other(sockets: PublicWebSockets) -> None:
    call, platform = FakeCall(is_answered=True), FakePlatform()
    async with Bot() as bot:
        connecting = await connected(streams_to(sockets, platform), call, bot.url)
        stream = await bot.next_stream()
        call.talk(0.5)
        await stream.say(tone(600, 0.5))
        await stream.mark("said")
        await stream.until_event("mark")
        call.press("5")
        assert (await stream.until_event("dtmf"))["dtmf"]["digit"] == "5"
        await stream.socket.close()
        await asyncio.wait_for(connecting, 3)
    assert share_of(600, _samples(b"".join(frame for _, frame in call.spoken))) > 0.99
    assert len(call.spoken) == 25
    assert max(loudness(stream.heard()[at : at + 160]) for at in range(0, 3200, 160)) > 1000
    assert stream.socket.subprotocol == "audio.somleng.org"


async def test_the_handshake_is_signed_as_twilio_signs_it(sockets: PublicWebSockets) -> None:
    async with Bot() as bot:
        url = f"{bot.url}?tenant=a%20b"
        connecting = await connected(streams_to(sockets, FakePlatform()), FakeCall(is_answered=True), url)
        stream = await bot.next_stream()
        signature = stream.request_headers["X-Twilio-Signature"]
        assert stream.socket.request is not None
        seen = f"ws://{stream.request_headers['Host']}{stream.socket.request.path}"
        assert RequestValidator("token").validate(seen, {}, signature)
        assert not RequestValidator("another").validate(seen, {}, signature)
        await stream.socket.close()
        await connecting


async def test_a_caller_who_leaves_has_stop_sent_and_the_socket_closed(sockets: PublicWebSockets) -> None:
    call, platform = FakeCall(is_answered=True), FakePlatform()
    async with Bot() as bot:
        connecting = await connected(streams_to(sockets, platform), call, bot.url)
        stream = await bot.next_stream()
        call.end()
        await asyncio.wait_for(stream.closed.wait(), 2)
        assert stream.events()[-1] == "stop"
        assert stream.socket.close_code == 1000
        await connecting
    assert [kind for _, kind, _ in platform.media_stream_events] == ["connect", "start", "disconnect"]


async def test_a_message_that_is_too_large_ends_the_stream_and_is_told(sockets: PublicWebSockets) -> None:
    call, platform = FakeCall(is_answered=True), FakePlatform()
    async with Bot() as bot:
        connecting = await connected(streams_to(sockets, platform), call, bot.url)
        stream = await bot.next_stream()
        with pytest.raises(ConnectionClosed, match="1009"):
            await stream.play("/" * (5 * 1024 * 1024))
        await asyncio.wait_for(connecting, 3)
        await asyncio.wait_for(stream.closed.wait(), 3)
    assert [details for _, kind, details in platform.media_stream_events if kind == "disconnect"] == [{"code": 1009}]


async def test_sending_waits_for_a_bot_that_reads_nothing_and_gathers_nothing(sockets: PublicWebSockets) -> None:
    async def act(stream: BotStream) -> None:
        stream.socket.transport.pause_reading()
        await asyncio.sleep(60)

    async with Bot(act) as bot:
        socket = await sockets.connect(bot.url, {})
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 100_000_000:
                await asyncio.wait_for(socket.send("x" * 100_000), 0.3)
                sent += 100_000
        assert sent < 50_000_000  # what the kernel's buffers take
        await asyncio.wait_for(socket.close(), 5)


async def test_private_addresses_are_refused() -> None:
    sockets = PublicWebSockets((), "audio.somleng.org")
    async with Bot() as bot:
        for host in ("127.0.0.1", "localhost"):
            with pytest.raises(FetchFailed, match="not a public address"):
                await sockets.connect(f"ws://{host}:{bot.port}/", {})
        assert bot.streams.empty()
    await sockets.close()


async def test_what_answers_otherwise_is_no_web_socket(sockets: PublicWebSockets) -> None:
    with CustomerServer() as server:
        url = server.reply("/plain", Reply()).replace("http", "ws")
        with pytest.raises(FetchFailed, match="answers the handshake with 200"):
            await sockets.connect(url, {})
        elsewhere = server.reply("/redirect", redirect("/plain")).replace("http", "ws")
        with pytest.raises(FetchFailed, match="redirect"):
            await sockets.connect(elsewhere, {})
        assert server.paths() == ["/plain", "/redirect"]


async def test_nobody_who_answers_is_not_waited_for_long(sockets: PublicWebSockets) -> None:
    silent = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    with pytest.raises(FetchFailed, match="not reached in time"):
        await asyncio.wait_for(sockets.connect(f"ws://127.0.0.1:{port}/", {}), 2)
    silent.close()


async def test_a_query_and_a_password_are_in_no_reason(sockets: PublicWebSockets) -> None:
    with pytest.raises(FetchFailed) as caught:
        await sockets.connect("ws://user:hush@127.0.0.1:1/path?token=hush", {})
    assert "hush" not in str(caught.value)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the program 'openssl' is not installed")
async def test_tls_is_verified(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=str(certificate))

    async def act(stream: BotStream) -> None:
        await stream.closed.wait()

    async with Bot(act, serving) as bot:
        strict = PublicWebSockets(LOCAL, "audio.somleng.org")
        with pytest.raises(FetchFailed, match="certificate"):
            await strict.connect(f"wss://localhost:{bot.port}/", {})
        await strict.close()
        trusted = PublicWebSockets(LOCAL, "audio.somleng.org", tls=trusting)
        with pytest.raises(FetchFailed, match="certificate"):
            await trusted.connect(f"wss://127.0.0.1:{bot.port}/", {})  # the name is another
        socket = await trusted.connect(f"wss://localhost:{bot.port}/", {})
        await socket.close()
        await trusted.close()


def _samples(frames: bytes) -> list[int]:
    return [int.from_bytes(frames[at : at + 2], "little", signed=True) for at in range(0, len(frames), 2)]
