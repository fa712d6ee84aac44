"""Brings audio from a URL to the disk, and asks again only for what may have changed."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import aiohttp
from yarl import URL

from switch_app.audio.formats import BEGINNING_BYTES, audio_suffix
from switch_app.audio.freshness import fresh_seconds
from switch_app.errors import FetchFailed
from switch_app.file_cache import FileCache, key_of
from switch_app.http.public_client import PublicClient, Request, parse_url, pieces
from switch_app.single_flight import SingleFlight

SIZE_MAXIMUM: Final = 40 * 1024 * 1024
"""Bytes of a file: 40 minutes of telephone sound."""

_USER_AGENT: Final = "TwilioProxy/1.1"
_NOT_MODIFIED: Final = 304

_RECENT_SECONDS: Final = 60.0
"""How long a file is taken to be there without a look; the cache removes none that was used within an hour."""

_RECENT_MAXIMUM: Final = 1_000
_NONE_RECENT: Final = (Path(), 0.0)


@dataclass(frozen=True, slots=True)
class _Note:
    """What is known of the audio at a URL: its file, and what asks whether it is still the same."""

    name: str
    fresh_until: float
    etag: str = ""
    last_modified: str = ""


class AudioDownloads:
    """Audio at URLs.

    Args:
        client: what fetches it.
        cache: where files are kept.
        size_maximum: bytes of a file.
        clock: seconds since the epoch.

    """

    def __init__(
        self,
        client: PublicClient,
        cache: FileCache,
        size_maximum: int = SIZE_MAXIMUM,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client, self._cache, self._size_maximum, self._clock = client, cache, size_maximum, clock
        self._flight: SingleFlight[Path] = SingleFlight()
        self._recent: dict[str, tuple[Path, float]] = {}

    async def close(self) -> None:
        """Break off what is being fetched."""
        await self._flight.close()

    async def get(self, url: str) -> Path:
        """Return a file of the audio at a URL; its name ends with the format that it has.

        Raises:
            FetchFailed: when it is not there, too large, or of a kind that cannot be played.

        """
        target = parse_url(url)
        path, until = self._recent.get(str(target), _NONE_RECENT)
        if self._clock() < until:
            return path
        try:
            return await self._flight.run(str(target), partial(self._get, target))
        except OSError as error:
            raise FetchFailed(f"the audio cannot be kept: {error}") from error

    async def _get(self, url: URL) -> Path:
        key = key_of(str(url))
        note, kept = await asyncio.to_thread(self._read, key)
        if note is not None and kept is not None and self._clock() < note.fresh_until:
            self._remember(str(url), kept, note.fresh_until)
            return kept
        conditions = _conditions(note) if kept is not None else {}
        request = Request(
            "GET", url, lambda *_: {"User-Agent": _USER_AGENT, "Accept": "audio/*, */*;q=0.5", **conditions}
        )
        async with self._client.fetch(request) as response:
            if response.status == _NOT_MODIFIED and note is not None and kept is not None:
                await asyncio.to_thread(self._write, key, replace(note, fresh_until=self._fresh_until(response)))
                return kept
            if not 200 <= response.status < 300:
                raise FetchFailed(f"{url.with_user(None).with_query(None)} was answered with {response.status}")
            return await self._download(response, key)

    def _remember(self, url: str, path: Path, fresh_until: float) -> None:
        """Have the next calls find a file without a look at the disk, which is a shared one and may be slow."""
        if len(self._recent) >= _RECENT_MAXIMUM:
            self._recent.clear()
        self._recent[url] = path, min(fresh_until, self._clock() + _RECENT_SECONDS)

    async def _download(self, response: aiohttp.ClientResponse, key: str) -> Path:
        partial_path = await asyncio.to_thread(self._cache.new_partial)
        try:
            beginning = b""
            with partial_path.open("wb") as file:
                async for piece in pieces(response, self._size_maximum):
                    beginning += piece[: BEGINNING_BYTES - len(beginning)]
                    await asyncio.to_thread(file.write, piece)
            kind = response.headers.get("Content-Type", "")
            suffix = audio_suffix(beginning, kind, response.url.path)
            if suffix is None:
                shown = response.url.with_query(None)
                raise FetchFailed(f"{shown} is no audio that can be played; its type is {kind[:80]!r}")
            note = _Note(
                name=f"{key}{suffix}",
                fresh_until=self._fresh_until(response),
                etag=response.headers.get("ETag", ""),
                last_modified=response.headers.get("Last-Modified", ""),
            )
            path = await asyncio.to_thread(self._cache.keep, partial_path, note.name)
            await asyncio.to_thread(self._write, key, note)
            return path
        finally:
            self._cache.discard(partial_path)

    def _fresh_until(self, response: aiohttp.ClientResponse) -> float:
        return self._clock() + fresh_seconds(response.headers)

    def _read(self, key: str) -> tuple[_Note | None, Path | None]:
        path = self._cache.find(_note_name(key))
        if path is None:
            return None, None
        try:
            note = _Note(**json.loads(path.read_text()))
        except (ValueError, TypeError, FileNotFoundError):
            return None, None  # another release's, or just removed: it is fetched anew
        return note, self._cache.find(note.name)

    def _write(self, key: str, note: _Note) -> None:
        partial_path = self._cache.new_partial()
        try:
            partial_path.write_text(json.dumps(asdict(note)))
            self._cache.keep(partial_path, _note_name(key))
        finally:
            self._cache.discard(partial_path)


def _conditions(note: _Note | None) -> Mapping[str, str]:
    """Return the headers by which a server says whether what is kept is still what it has."""
    if note is None:
        return {}
    headers = {"If-None-Match": note.etag, "If-Modified-Since": note.last_modified}
    return {name: value for name, value in headers.items() if value}


def _note_name(key: str) -> str:
    return f"{key}.json"
