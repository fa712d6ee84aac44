"""Speech of Polly's, and the voices that it has."""

import asyncio
import threading
import wave
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from switch_app.backoff import Backoff
from switch_app.errors import SynthesisFailed
from switch_app.file_cache import FileCache
from switch_app.voices.catalogue import Voice, polly_voice
from switch_app.voices.polly import Polly, split_text
from switch_app.voices.polly_voices import PollyVoices
from tests.fakes.polly import BYTES_A_CHARACTER, FakePolly

JOANNA = Voice("Polly", "Joanna", "en-US")


@pytest.fixture
def fake() -> Iterator[FakePolly]:
    with FakePolly() as running:
        yield running


@pytest.fixture
def client(aws_environment: None, fake: FakePolly) -> Any:
    config = Config(retries={"total_max_attempts": 1})
    return boto3.client("polly", region_name="ap-southeast-1", endpoint_url=fake.url, config=config)


@pytest.fixture
async def polly(client: Any, tmp_path: Path) -> AsyncIterator[Polly]:
    polly = Polly(client, FileCache(tmp_path, 10_000_000), seconds=2.0)
    yield polly
    await polly.close()


async def test_a_text_becomes_a_file_that_a_telephone_plays(polly: Polly, fake: FakePolly) -> None:
    path = await polly.speech(JOANNA, "Hola, buen día & <break/>")
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        assert file.getnframes() * 2 == BYTES_A_CHARACTER * len("Hola, buen día & <break/>")
    assert fake.requests == [
        {
            "VoiceId": "Joanna",
            "Engine": "standard",
            "Text": "Hola, buen día & <break/>",
            "TextType": "text",
            "OutputFormat": "pcm",
            "SampleRate": "8000",
        }
    ]


async def test_a_text_is_made_once_by_voice_and_kept(
    polly: Polly, fake: FakePolly, client: Any, tmp_path: Path
) -> None:
    first = await polly.speech(JOANNA, "Hello")
    assert await polly.speech(JOANNA, "Hello") == first
    other = polly_voice("Polly.Joanna-Long-form")
    assert other is not None
    assert await polly.speech(other, "Hello") != first
    beside = Polly(client, FileCache(tmp_path, 10_000_000))  # another switch with the same directory
    assert await beside.speech(JOANNA, "Hello") == first
    await beside.close()
    assert [request["Engine"] for request in fake.requests] == ["standard", "long-form"]
    assert not list(tmp_path.glob("*.partial"))


async def test_calls_that_want_one_text_at_once_have_it_made_once(polly: Polly, fake: FakePolly) -> None:
    fake.delay = 0.1
    paths = await asyncio.gather(*(polly.speech(JOANNA, "Hello") for _ in range(20)))
    assert len(set(paths)) == 1
    assert len(fake.requests) == 1


async def test_a_caller_that_leaves_does_not_take_the_speech_from_others(polly: Polly, fake: FakePolly) -> None:
    fake.delay = 0.1
    leaving = asyncio.create_task(polly.speech(JOANNA, "Hello"))
    staying = asyncio.create_task(polly.speech(JOANNA, "Hello"))
    await asyncio.sleep(0.02)
    leaving.cancel()
    assert (await staying).exists()
    assert len(fake.requests) == 1


async def test_a_failure_names_the_voice_and_not_the_text_and_is_not_kept(
    polly: Polly, fake: FakePolly, tmp_path: Path
) -> None:
    fake.failing = True
    with pytest.raises(SynthesisFailed, match=r"Polly\.Joanna does not speak") as raised:
        await polly.speech(JOANNA, "a secret")
    assert "secret" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []
    fake.failing = False
    assert (await polly.speech(JOANNA, "a secret")).exists()


async def test_a_speech_that_takes_too_long_fails(client: Any, fake: FakePolly, tmp_path: Path) -> None:
    polly = Polly(client, FileCache(tmp_path, 10_000), seconds=0.1)
    fake.delay = 0.5
    with pytest.raises(SynthesisFailed, match=r"more than 0\.1 seconds"):
        await polly.speech(JOANNA, "Hello")
    await polly.close()


async def test_a_switch_without_polly_says_so(tmp_path: Path) -> None:
    polly = Polly(None, FileCache(tmp_path, 10_000))
    with pytest.raises(SynthesisFailed, match="has no Polly"):
        await polly.speech(JOANNA, "Hello")
    await polly.close()


async def test_a_long_text_is_spoken_in_parts(polly: Polly, fake: FakePolly) -> None:
    text = "This is a sentence. " * 205  # 4100 characters
    path = await polly.speech(JOANNA, text)
    assert len(fake.requests) == 2
    assert all(request["Text"].endswith("sentence.") for request in fake.requests)
    with wave.open(str(path)) as file:
        assert file.getnframes() * 2 == BYTES_A_CHARACTER * sum(len(request["Text"]) for request in fake.requests)


async def test_what_is_no_character_is_left_out(polly: Polly, fake: FakePolly) -> None:
    await polly.speech(JOANNA, "a\x00b\x1bc\ud800d")
    assert fake.requests[0]["Text"] == "a b c d"


@given(st.text(st.sampled_from("ab .。\n"), max_size=200), st.integers(5, 40))
def test_no_part_is_too_long_and_no_word_is_lost(text: str, maximum: int) -> None:
    parts = split_text(text, maximum)
    assert all(0 < len(part) <= maximum for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


async def test_voices_are_known_after_the_start_and_all_pages_read(client: Any, fake: FakePolly) -> None:
    voices = PollyVoices(client)
    assert [voice.identifier for voice in voices.catalogue.voices] == ["Basic.Kal", "Basic.Slt"]
    await voices.start()
    assert voices.catalogue.find("Polly.Joanna-Long-form") is not None
    assert len(voices.catalogue.voices) == 13
    await voices.close()


async def test_voices_are_asked_for_again_after_a_failure_and_kept_through_one(client: Any, fake: FakePolly) -> None:
    fake.failing = True
    voices = PollyVoices(client, refresh=0.01, backoff=Backoff(0.01, 0.01))
    await voices.start()
    assert len(voices.catalogue.voices) == 2
    fake.failing = False
    async with asyncio.timeout(5):
        while len(voices.catalogue.voices) == 2:
            await asyncio.sleep(0.01)
    fake.failing = True
    await asyncio.sleep(0.05)
    assert len(voices.catalogue.voices) == 13
    await voices.close()


async def test_a_switch_without_aws_starts_and_has_its_own_voices() -> None:
    voices = PollyVoices(None)
    await voices.start()
    assert len(voices.catalogue.voices) == 2
    await voices.close()


async def test_threads_end_with_it(client: Any, tmp_path: Path) -> None:
    polly = Polly(client, FileCache(tmp_path, 10_000))
    await polly.speech(JOANNA, "Hello")
    await polly.close()
    async with asyncio.timeout(5):
        while any(thread.name.startswith("polly") for thread in threading.enumerate()):
            await asyncio.sleep(0.01)
