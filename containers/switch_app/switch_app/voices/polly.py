"""Speech made by Polly, kept for whoever wants to hear the same again."""

import asyncio
import re
import wave
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from switch_app.errors import SynthesisFailed
from switch_app.file_cache import FileCache, key_of
from switch_app.single_flight import SingleFlight
from switch_app.voices.catalogue import Voice

SAMPLE_RATE: Final = 8000
"""Of telephones; the media server need not convert it."""

_SECONDS: Final = 15.0
_THREADS: Final = 8
_PART_MAXIMUM: Final = 2800  # Polly takes 3000 characters at once
_PCM_MAXIMUM: Final = 16 * 1024 * 1024
_END_OF_SENTENCE: Final = re.compile(r"[.!?\u2026\u0964\u17d4]\s|[\u3002\uff01\uff1f]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class Polly:
    """Speech of Polly's voices, as files.

    A text is spoken as it stands: nothing in it is taken for markup.

    Args:
        client: a boto3 client of Polly's; None for a switch without Polly.
        cache: where files are kept.
        seconds: how long a speech may take to be made.

    """

    def __init__(self, client: Any | None, cache: FileCache, seconds: float = _SECONDS) -> None:
        self._client, self._cache, self._seconds = client, cache, seconds
        self._flight: SingleFlight[Path] = SingleFlight()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="polly")

    async def close(self) -> None:
        """Break off what is being made, and end."""
        await self._flight.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def speech(self, voice: Voice, text: str) -> Path:
        """Return a WAV file of a text.

        Raises:
            SynthesisFailed: when Polly does not make it; the message names the voice, and never the text.

        """
        name = f"{key_of(voice.identifier, text)}.wav"
        try:
            async with asyncio.timeout(self._seconds):
                return await self._flight.run(name, partial(self._make, voice, text, name))
        except TimeoutError:
            raise SynthesisFailed(f"{voice.identifier} takes more than {self._seconds:g} seconds") from None
        except (BotoCoreError, ClientError, OSError) as error:
            raise SynthesisFailed(f"{voice.identifier} does not speak: {error}") from error

    async def _make(self, voice: Voice, text: str, name: str) -> Path:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, self._cache.find, name)
        if found is not None:
            return found
        return await loop.run_in_executor(self._threads, self._synthesise, voice, text, name)

    def _synthesise(self, voice: Voice, text: str, name: str) -> Path:
        if self._client is None:
            raise SynthesisFailed(f"{voice.identifier} does not speak: this switch has no Polly")
        partial_path = self._cache.new_partial()
        try:
            with wave.open(str(partial_path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(SAMPLE_RATE)
                for part in split_text(_CONTROL.sub(" ", text)):
                    file.writeframes(self._pcm(voice, part))
            return self._cache.keep(partial_path, name)
        finally:
            self._cache.discard(partial_path)

    def _pcm(self, voice: Voice, text: str) -> bytes:
        answer = self._client.synthesize_speech(  # type: ignore[union-attr]
            VoiceId=voice.name,
            Engine=voice.engine,
            Text=text,
            TextType="text",
            OutputFormat="pcm",
            SampleRate=str(SAMPLE_RATE),
        )
        with answer["AudioStream"] as stream:
            pcm: bytes = stream.read(_PCM_MAXIMUM)
        return pcm[: len(pcm) - len(pcm) % 2]


def split_text(text: str, maximum: int = _PART_MAXIMUM) -> list[str]:
    """Return a text in parts of so many characters at most: cut after a sentence where one ends in the second half of a
    part, at a space otherwise, and anywhere when there is none."""
    parts = []
    rest = text.strip()
    while len(rest) > maximum:
        window = rest[: maximum + 1]
        ends = [match.end() for match in _END_OF_SENTENCE.finditer(window, maximum // 2)]
        at = ends[-1] if ends else window.rfind(" ", maximum // 2) + 1 or maximum
        at = min(at, maximum)
        parts.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return [part for part in (*parts, rest) if part]
