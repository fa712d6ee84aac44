"""Audio from a customer's server to the disk."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from switch_app.audio.downloads import AudioDownloads
from switch_app.call import AudioFile, Speech
from switch_app.errors import FetchFailed, SynthesisFailed
from switch_app.file_cache import FileCache
from switch_app.http.public_client import PublicClient
from switch_app.prompts import VoicesAndAudio
from switch_app.voices.polly import Polly
from switch_app.voices.polly_voices import PollyVoices
from tests.fakes.customer_server import CustomerServer, Reply, redirect

WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(500)
TYPE = ("Content-Type", "audio/x-wav")


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server() -> Iterator[CustomerServer]:
    with CustomerServer() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def client() -> AsyncIterator[PublicClient]:
    client = PublicClient(allowed=[ip_network("127.0.0.0/8")], seconds=2.0)
    yield client
    await client.close()


@pytest.fixture
def make(client: PublicClient, tmp_path: Path, clock: Clock) -> Callable[[], AudioDownloads]:
    return lambda: AudioDownloads(client, FileCache(tmp_path, 10_000_000, clock), size_maximum=1000, clock=clock)


@pytest.fixture
async def downloads(make: Callable[[], AudioDownloads]) -> AsyncIterator[AudioDownloads]:
    downloads = make()
    yield downloads
    await downloads.close()


async def test_audio_is_brought_to_a_file_of_its_format(downloads: AudioDownloads, server: CustomerServer) -> None:
    path = await downloads.get(server.reply("/cowbell.mp3", Reply(WAV)))
    assert path.suffix == ".wav"
    assert path.read_bytes() == WAV
    assert server.requests[0].headers["user-agent"] == "TwilioProxy/1.1"


async def test_fresh_audio_is_not_asked_for_again(
    downloads: AudioDownloads, make: Callable[[], AudioDownloads], server: CustomerServer, clock: Clock
) -> None:
    url = server.reply("/a", Reply(WAV, headers=[TYPE, ("Cache-Control", "max-age=60")]))
    path = await downloads.get(url)
    clock.now += 59
    assert await downloads.get(url) == path
    assert await make().get(url) == path  # another switch with the same directory
    assert len(server.requests) == 1
    clock.now += 2
    await downloads.get(url)
    assert len(server.requests) == 2


async def test_audio_that_may_have_changed_is_asked_about(downloads: AudioDownloads, server: CustomerServer) -> None:
    modified = ("Last-Modified", "Tue, 24 Nov 2026 10:00:00 GMT")
    url = server.reply(
        "/a", Reply(WAV, headers=[TYPE, ("ETag", '"1"'), modified]), Reply(status=304), Reply(WAV + b"x")
    )
    first = await downloads.get(url)
    assert (await downloads.get(url)).read_bytes() == WAV
    assert server.requests[1].headers["if-none-match"] == '"1"'
    assert server.requests[1].headers["if-modified-since"] == modified[1]
    assert (await downloads.get(url)).read_bytes() == WAV + b"x"
    assert first.read_bytes() == WAV + b"x"


async def test_audio_whose_file_is_gone_is_fetched_anew(downloads: AudioDownloads, server: CustomerServer) -> None:
    url = server.reply("/a", Reply(WAV, headers=[TYPE, ("ETag", '"1"'), ("Cache-Control", "max-age=60")]))
    (await downloads.get(url)).unlink()
    assert (await downloads.get(url)).read_bytes() == WAV
    assert "if-none-match" not in server.requests[1].headers


async def test_calls_that_want_it_at_once_fetch_it_once(downloads: AudioDownloads, server: CustomerServer) -> None:
    url = server.reply("/a", Reply(WAV, delay=0.1))
    assert len(set(await asyncio.gather(*(downloads.get(url) for _ in range(10))))) == 1
    assert len(server.requests) == 1


async def test_redirects_are_followed(downloads: AudioDownloads, server: CustomerServer) -> None:
    server.reply("/b.wav", Reply(WAV))
    assert (await downloads.get(server.reply("/a", redirect("/b.wav")))).read_bytes() == WAV


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply("<html></html>", headers=[("Content-Type", "text/html")]), "no audio that can be played"),
        (Reply(WAV, status=404), "was answered with 404"),
        (Reply(WAV + bytes(1000)), "more than 1000"),
        (Reply(WAV, endless=True), "more than 1000 bytes"),
        (Reply(WAV[:100], pause=0.1), "more than 2 seconds"),
        (Reply(broken=True), "cannot be fetched"),
        (Reply(status=304), "was answered with 304"),
        (redirect("http://10.0.0.1/a.wav"), "not a public address"),
    ],
)
async def test_what_cannot_be_played_is_told_and_leaves_nothing(
    downloads: AudioDownloads, server: CustomerServer, tmp_path: Path, reply: Reply, message: str
) -> None:
    with pytest.raises(FetchFailed, match=message):
        await downloads.get(server.reply("/a", reply))
    assert list(tmp_path.iterdir()) == []


async def test_a_note_of_another_release_is_no_obstacle(
    downloads: AudioDownloads, server: CustomerServer, tmp_path: Path
) -> None:
    url = server.reply("/a", Reply(WAV, headers=[("Cache-Control", "max-age=60")]))
    await downloads.get(url)
    (note,) = tmp_path.glob("*.json")
    note.write_text('{"version": 9}')
    assert (await downloads.get(url)).read_bytes() == WAV
    assert len(server.requests) == 2


async def test_prompts_are_of_the_kind_that_their_voice_needs(
    downloads: AudioDownloads, server: CustomerServer, tmp_path: Path
) -> None:
    polly = Polly(None, FileCache(tmp_path, 1000))
    prompts = VoicesAndAudio(PollyVoices(None), polly, downloads)
    assert prompts.voice("woman", "", "Basic.Kal") == "Basic.Slt"
    assert await prompts.speech("Basic.Slt", "Hola, buen día.") == Speech("slt", "Hola, buen día.")
    with pytest.raises(SynthesisFailed):
        await prompts.speech("Polly.Joanna", "Hello")
    for unknown in ("Basic.Nobody", "Nobody"):
        with pytest.raises(SynthesisFailed, match="there is no voice"):
            await prompts.speech(unknown, "Hello")
    audio = await prompts.audio(server.reply("/a", Reply(WAV)))
    assert isinstance(audio, AudioFile)
    await polly.close()
