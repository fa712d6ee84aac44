"""A directory of files that is bounded, and work that several share."""

import asyncio
import os
from pathlib import Path

import pytest

from switch_app.file_cache import FileCache, key_of
from switch_app.single_flight import SingleFlight

HOUR = 3600.0


def name_of(text: str) -> str:
    return f"{key_of(text)}.wav"


def put(cache: FileCache, text: str, size: int, used: float) -> Path:
    partial = cache.new_partial()
    partial.write_bytes(b"x" * size)
    path = cache.keep(partial, name_of(text))
    os.utime(path, (used, used))
    return path


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, bytes_maximum=250, clock=lambda: 10 * HOUR)
    for number in range(5):
        put(cache, str(number), 100, used=number * HOUR)
    assert cache.clean() == 200
    assert {path.name for path in tmp_path.iterdir()} == {name_of("3"), name_of("4")}


def test_what_was_found_counts_as_used(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, bytes_maximum=100, clock=lambda: 10 * HOUR)
    old = put(cache, "old", 100, used=0)
    newer = put(cache, "newer", 100, used=HOUR)
    assert cache.find(old.name) == old
    cache.clean()
    assert list(tmp_path.iterdir()) == [old]
    assert cache.find(newer.name) is None


def test_what_may_be_about_to_be_played_stays(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, bytes_maximum=0, clock=lambda: HOUR)
    path = put(cache, "a", 100, used=HOUR - 10)
    assert cache.clean() == 100
    assert path.exists()


def test_what_is_somebody_elses_stays(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, bytes_maximum=0, clock=lambda: 10 * HOUR)
    (tmp_path / "directory").mkdir()
    for name in ("a.wav", "call.cdr.json", "other.partial"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    assert cache.clean() == 0
    assert len(list(tmp_path.iterdir())) == 4


def test_what_was_begun_and_never_finished_goes(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, bytes_maximum=1000, clock=lambda: 10 * HOUR)
    abandoned, current = cache.new_partial(), cache.new_partial()
    os.utime(abandoned, (HOUR, HOUR))
    os.utime(current, (10 * HOUR,) * 2)
    cache.clean()
    assert list(tmp_path.iterdir()) == [current]
    cache.discard(current)
    assert list(tmp_path.iterdir()) == []


def test_the_media_server_may_read_what_is_kept(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, bytes_maximum=1000)
    path = cache.keep(cache.new_partial(), "a.wav")
    assert path.stat().st_mode & 0o777 == 0o644


async def test_it_cleans_up_by_itself(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, bytes_maximum=0, clock=lambda: 10 * HOUR)
    path = put(cache, "a", 1, used=0)
    await cache.start()
    async with asyncio.timeout(5):
        while path.exists():
            await asyncio.sleep(0.01)
    await cache.close()


def test_a_key_tells_its_parts_apart() -> None:
    assert key_of("ab", "c") != key_of("a", "bc")
    assert len(key_of("\ud800")) == 64


async def test_work_is_shared_while_it_goes_on_and_done_again_after() -> None:
    flight: SingleFlight[int] = SingleFlight()
    begun: list[int] = []

    async def make() -> int:
        begun.append(len(begun))
        await asyncio.sleep(0.01)
        return len(begun)

    assert await asyncio.gather(*(flight.run("a", make) for _ in range(5))) == [1] * 5
    assert await flight.run("a", make) == 2


async def test_a_failure_is_everybodys_and_is_not_remembered() -> None:
    flight: SingleFlight[int] = SingleFlight()

    async def fail() -> int:
        await asyncio.sleep(0.01)
        raise ValueError("no")

    results = await asyncio.gather(*(flight.run("a", fail) for _ in range(3)), return_exceptions=True)
    assert [str(result) for result in results] == ["no"] * 3
    with pytest.raises(ValueError, match="no"):
        await flight.run("a", fail)
