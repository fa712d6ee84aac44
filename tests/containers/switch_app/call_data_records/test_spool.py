"""Records from the directory to the platform, whatever happens on the way."""

import asyncio
import json
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from switch_app.backoff import Backoff
from switch_app.call_data_records import directory as directories
from switch_app.call_data_records.spool import CallDataRecordSpool
from switch_app.call_platform.api import Api
from switch_app.call_platform.client import PlatformClient
from switch_app.call_platform.password import FixedPassword
from switch_app.errors import PlatformUnavailable
from tests.fakes.call_platform import CallPlatform as FakePlatform

SHORT = Backoff(first=0.005, longest=0.01)


@pytest.fixture
def fake() -> Iterator[FakePlatform]:
    with FakePlatform("services", "password") as running:
        yield running


@pytest.fixture
async def client(fake: FakePlatform) -> AsyncIterator[PlatformClient]:
    api = Api(fake.url, "services", FixedPassword("password"), backoff=SHORT, attempts=1)
    yield PlatformClient(api)
    await api.close()


@pytest.fixture
def counted() -> list[str]:
    return []


@pytest.fixture
async def spool(tmp_path: Path, client: PlatformClient, counted: list[str]) -> AsyncIterator[CallDataRecordSpool]:
    spool = CallDataRecordSpool(tmp_path, client, pause=0.01, backoff=SHORT, count=counted.append)
    yield spool
    await spool.close()


def write(directory: Path, uuid: str, age: float = 10.0, **variables: str) -> Path:
    """Write a record as the media server does."""
    path = directory / f"{uuid}.cdr.json"
    content = {"variables": {"uuid": uuid, "record_cdr": "true", "phrase": "Busy%20Here", **variables}, "mos": None}
    path.write_text(json.dumps(content).replace("null", "nan") + "\n")
    os.utime(path, (time.time() - age,) * 2)
    return path


def sent(fake: FakePlatform) -> list[str]:
    return [record["variables"]["uuid"] for record in fake.call_data_records]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def test_records_are_sent_oldest_first_and_removed(
    spool: CallDataRecordSpool, fake: FakePlatform, tmp_path: Path
) -> None:
    paths = [write(tmp_path, str(number), age=1000 - number) for number in range(9)]
    await spool.scan()
    batches = [set(sent(fake)[begin : begin + 4]) for begin in (0, 4, 8)]
    assert batches == [{"0", "1", "2", "3"}, {"4", "5", "6", "7"}, {"8"}]
    assert not any(path.exists() for path in paths)
    assert fake.call_data_records[0]["mos"] is None
    request = fake.requests[0]
    assert (request.method, request.path) == ("POST", "/call_data_records")
    assert request.headers["content-type"] == "application/x-www-form-base64-encoded"


async def test_a_record_that_does_not_count_is_removed_and_not_sent(
    spool: CallDataRecordSpool, fake: FakePlatform, tmp_path: Path
) -> None:
    path = write(tmp_path, "a", record_cdr="false")
    await spool.scan()
    assert fake.requests == []
    assert not path.exists()


async def test_a_record_that_is_being_written_is_left_until_it_is_whole(
    spool: CallDataRecordSpool, fake: FakePlatform, tmp_path: Path, counted: list[str]
) -> None:
    path = write(tmp_path, "a")
    whole = path.read_text()
    path.write_text(whole[:20])
    await spool.scan()
    assert path.exists()
    path.write_text(whole)
    await spool.scan()
    assert sent(fake) == ["a"]
    assert counted == ["CallDataRecordSent"]


async def test_a_record_that_never_gets_whole_is_set_aside(
    spool: CallDataRecordSpool, fake: FakePlatform, tmp_path: Path, counted: list[str]
) -> None:
    path = write(tmp_path, "a")
    path.write_text("{")
    os.utime(path, (time.time() - 61,) * 2)
    write(tmp_path, "b")
    await spool.scan()
    assert not path.exists()
    assert (tmp_path / "set-aside" / path.name).read_text() == "{"
    assert sent(fake) == ["b"]
    assert sorted(counted) == ["CallDataRecordSent", "CallDataRecordSetAside"]


async def test_a_record_that_is_too_large_is_set_aside(spool: CallDataRecordSpool, tmp_path: Path) -> None:
    path = tmp_path / "a.cdr.json"
    with path.open("wb") as file:
        file.truncate(directories.SIZE_MAXIMUM + 1)
    await spool.scan()
    assert (tmp_path / "set-aside" / path.name).exists()


async def test_a_record_that_the_platform_refuses_is_set_aside(
    spool: CallDataRecordSpool, fake: FakePlatform, tmp_path: Path
) -> None:
    fake.answers = [422]
    path = write(tmp_path, "a")
    await spool.scan()
    assert (tmp_path / "set-aside" / path.name).exists()
    assert fake.call_data_records == []


@pytest.mark.parametrize("status", [401, 429, 500, 503])
async def test_a_record_waits_for_a_platform_that_does_not_listen(
    spool: CallDataRecordSpool, fake: FakePlatform, tmp_path: Path, status: int
) -> None:
    path = write(tmp_path, "a")
    fake.answers = [status] * 3
    spool.start()
    await until(lambda: not path.exists())
    assert sent(fake) == ["a"]


async def test_no_record_is_in_the_way_of_others(tmp_path: Path, counted: list[str]) -> None:
    """The platform may fail on a certain record again and again."""
    taken: list[str] = []

    class Platform:
        async def send_call_data_record(self, document: str) -> None:
            uuid = json.loads(document)["variables"]["uuid"]
            if uuid.startswith("bad"):
                raise PlatformUnavailable("500")
            taken.append(uuid)

    spool = CallDataRecordSpool(tmp_path, Platform(), backoff=SHORT, pause=0.001, count=counted.append)
    for number in range(5):
        write(tmp_path, f"bad{number}", age=1000)
    write(tmp_path, "good")
    spool.start()
    await until(lambda: taken == ["good"])
    for number in range(15):
        write(tmp_path, f"next{number}")
        await until(lambda number=number: f"next{number}" in taken)  # type: ignore[misc]
    assert counted.count("CallDataRecordSetAside") >= 1
    await spool.close(1)


async def test_a_call_that_was_never_a_channel_is_completed_too(
    spool: CallDataRecordSpool, fake: FakePlatform, tmp_path: Path
) -> None:
    spool.start()
    spool.note_unreached("call-sid", "NO_ROUTE_DESTINATION", 404)
    await until(lambda: fake.call_data_records)
    (record,) = fake.call_data_records
    assert record["variables"]["sip_h_X-Somleng-CallSid"] == "call-sid"
    assert record["variables"]["sip_term_status"] == "404"
    await until(lambda: not list(tmp_path.glob("*.json")))


async def test_what_is_noted_last_survives_the_end(tmp_path: Path, client: PlatformClient, fake: FakePlatform) -> None:
    spool = CallDataRecordSpool(tmp_path, client)
    spool.note_unreached("call-sid", "USER_BUSY", 486)
    await spool.close()  # it was never started: nothing is sent
    assert len(list(tmp_path.glob("*.cdr.json"))) == 1
    again = CallDataRecordSpool(tmp_path, client)
    again.start()
    await again.close()
    assert [record["variables"]["sip_term_status"] for record in fake.call_data_records] == ["486"]


async def test_all_that_is_there_is_sent_before_the_end(
    tmp_path: Path, client: PlatformClient, fake: FakePlatform
) -> None:
    spool = CallDataRecordSpool(tmp_path, client, pause=60)
    spool.start()
    await asyncio.sleep(0.05)  # the first look is over, and the next one far away
    for number in range(120):
        write(tmp_path, str(number))
    await spool.close()
    assert len(fake.call_data_records) == 120


async def test_a_directory_that_is_gone_does_not_keep_the_app_from_ending(
    tmp_path: Path, client: PlatformClient
) -> None:
    spool = CallDataRecordSpool(tmp_path / "records", client, pause=0.01, backoff=SHORT)
    spool.start()
    shutil.rmtree(tmp_path / "records")
    await asyncio.sleep(0.05)
    await spool.close()


async def test_what_another_writer_left_half_done_is_not_looked_at(
    spool: CallDataRecordSpool, fake: FakePlatform, tmp_path: Path
) -> None:
    (tmp_path / ".a.partial").write_text("{")
    (tmp_path / "notes.txt").write_text("{")
    assert await spool.scan() == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.partial", "notes.txt", "set-aside"]


async def test_many_records_are_dealt_with_without_a_pause(
    tmp_path: Path, client: PlatformClient, fake: FakePlatform
) -> None:
    spool = CallDataRecordSpool(tmp_path, client, pause=60)
    for number in range(150):
        write(tmp_path, str(number), record_cdr="false" if number % 10 else "true")
    spool.start()
    await until(lambda: len(fake.call_data_records) == 15)
    await spool.close()


def test_only_so_many_are_kept_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directories, "_ASIDE_MAXIMUM", 3)
    directory = directories.RecordDirectory(tmp_path)
    for number in range(5):
        write(tmp_path, str(number), age=100 - number)
    files: Any = directory.next(5, {})
    for file in files:
        directory.set_aside(file)
    assert sorted(path.name[0] for path in (tmp_path / "set-aside").iterdir()) == ["2", "3", "4"]
