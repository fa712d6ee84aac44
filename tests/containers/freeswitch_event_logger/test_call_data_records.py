"""Records from the directory to the platform, whatever happens on the way."""

import asyncio
import json
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freeswitch_event_logger.call_data_records import CallDataRecords
from switch_app.backoff import Backoff
from switch_app.call_data_records import directory as directories
from switch_app.call_data_records.document import LostCall
from switch_app.call_data_records.owed import OwedCall, OwedRecords
from switch_app.call_data_records.unrecorded import UnrecordedCalls
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
async def records(tmp_path: Path, client: PlatformClient, counted: list[str]) -> AsyncIterator[CallDataRecords]:
    records = CallDataRecords(tmp_path, client, pause=0.01, backoff=SHORT, count=counted.append)
    yield records
    await records.close()


@asynccontextmanager
async def running(records: CallDataRecords) -> AsyncIterator[None]:
    """Have records delivered as they come."""
    task = asyncio.create_task(records.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


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
    records: CallDataRecords, fake: FakePlatform, tmp_path: Path
) -> None:
    paths = [write(tmp_path, str(number), age=1000 - number) for number in range(9)]
    await records.scan()
    batches = [set(sent(fake)[begin : begin + 4]) for begin in (0, 4, 8)]
    assert batches == [{"0", "1", "2", "3"}, {"4", "5", "6", "7"}, {"8"}]
    assert not any(path.exists() for path in paths)
    assert fake.call_data_records[0]["mos"] is None
    request = fake.requests[0]
    assert (request.method, request.path) == ("POST", "/call_data_records")
    assert request.headers["content-type"] == "application/x-www-form-base64-encoded"


async def test_a_record_that_does_not_count_is_removed_and_not_sent(
    records: CallDataRecords, fake: FakePlatform, tmp_path: Path
) -> None:
    path = write(tmp_path, "a", record_cdr="false")
    await records.scan()
    assert fake.requests == []
    assert not path.exists()


async def test_a_record_that_is_being_written_is_left_until_it_is_whole(
    records: CallDataRecords, fake: FakePlatform, tmp_path: Path, counted: list[str]
) -> None:
    path = write(tmp_path, "a")
    whole = path.read_text()
    path.write_text(whole[:20])
    await records.scan()
    assert path.exists()
    path.write_text(whole)
    await records.scan()
    assert sent(fake) == ["a"]
    assert counted == ["CallDataRecordSent"]


async def test_a_record_that_never_gets_whole_is_set_aside(
    records: CallDataRecords, fake: FakePlatform, tmp_path: Path, counted: list[str]
) -> None:
    path = write(tmp_path, "a")
    path.write_text("{")
    os.utime(path, (time.time() - 61,) * 2)
    write(tmp_path, "b")
    await records.scan()
    assert not path.exists()
    assert (tmp_path / "set-aside" / path.name).read_text() == "{"
    assert sent(fake) == ["b"]
    assert sorted(counted) == ["CallDataRecordSent", "CallDataRecordSetAside"]


async def test_a_record_that_is_too_large_is_set_aside(records: CallDataRecords, tmp_path: Path) -> None:
    path = tmp_path / "a.cdr.json"
    with path.open("wb") as file:
        file.truncate(directories.SIZE_MAXIMUM + 1)
    await records.scan()
    assert (tmp_path / "set-aside" / path.name).exists()


async def test_a_record_that_the_platform_refuses_is_set_aside(
    records: CallDataRecords, fake: FakePlatform, tmp_path: Path
) -> None:
    fake.answers = [422]
    path = write(tmp_path, "a")
    await records.scan()
    assert (tmp_path / "set-aside" / path.name).exists()
    assert fake.call_data_records == []


@pytest.mark.parametrize("status", [401, 429, 500, 503])
async def test_a_record_waits_for_a_platform_that_does_not_listen(
    records: CallDataRecords, fake: FakePlatform, tmp_path: Path, status: int
) -> None:
    path = write(tmp_path, "a")
    fake.answers = [status] * 3
    async with running(records):
        await until(lambda: not path.exists())
    assert sent(fake) == ["a"]


async def test_no_record_is_in_the_way_of_others(tmp_path: Path, counted: list[str]) -> None:
    """The platform may fail on certain records again and again."""
    taken: list[str] = []

    class Platform:
        async def send_call_data_record(self, document: str) -> None:
            uuid = json.loads(document)["variables"]["uuid"]
            if uuid.startswith("bad"):
                raise PlatformUnavailable("500")
            taken.append(uuid)

    records = CallDataRecords(tmp_path, Platform(), backoff=SHORT, pause=0.001, count=counted.append)
    for number in range(5):
        write(tmp_path, f"bad{number}", age=1000)
    write(tmp_path, "good")
    async with running(records):
        await until(lambda: taken == ["good"])
        for number in range(40):
            write(tmp_path, f"next{number}")
            await until(lambda number=number: f"next{number}" in taken)  # type: ignore[misc]
        await until(lambda: "CallDataRecordSetAside" in counted)
    await records.close()


@given(failures=st.integers(0, 60), count=st.integers(1, 30))
@settings(max_examples=20, deadline=None)
def test_an_outage_is_no_records_fault(failures: int, count: int) -> None:
    """However long it lasts and whenever it ends, all arrive once, the oldest first, and none is set aside."""

    async def live(directory: Path) -> list[str]:
        platform = Outage(failures)
        records = CallDataRecords(directory, platform, backoff=Backoff(0.001, 0.002), pause=0.001)
        for number in range(count):
            write(directory, f"{number:02}", age=1000 - number)
        async with running(records):
            await until(lambda: len(platform.taken) >= count)
            await until(lambda: not list(directory.glob("*.json")))
            await until(lambda: records.problem is None)
        assert not list((directory / "set-aside").iterdir())
        await records.close()
        return platform.taken

    with tempfile.TemporaryDirectory() as directory:
        taken = asyncio.run(live(Path(directory)))
    assert sorted(taken) == [f"{number:02}" for number in range(count)]
    # Four are under way at a time; one may have been sent to see whether the platform listens.
    early = [uuid for place, uuid in enumerate(taken) if int(uuid) > place + 4]
    assert len(early) <= 1, taken


async def test_a_call_that_was_never_a_channel_is_completed_too(
    records: CallDataRecords, fake: FakePlatform, tmp_path: Path
) -> None:
    unreached = UnrecordedCalls(tmp_path)
    async with running(records):
        unreached.note_unreached("call-sid", "NO_ROUTE_DESTINATION", 404)
        await until(lambda: fake.call_data_records)
        (record,) = fake.call_data_records
        assert record["variables"]["sip_h_X-Somleng-CallSid"] == "call-sid"
        assert record["variables"]["sip_term_status"] == "404"
        await until(lambda: not list(tmp_path.glob("*.json")))
    await unreached.close()


async def test_a_call_has_one_record(records: CallDataRecords, fake: FakePlatform, tmp_path: Path) -> None:
    """The media server wrote one and died; the app, which did not hear of it, writes another."""
    written = {"sip_rh_X-Somleng-CallSid": "call%2Dsid"}
    for name in ("first", "second"):  # under way at the same time
        write(tmp_path, name, **written)
    lost = UnrecordedCalls(tmp_path)
    async with running(records):
        await until(lambda: not list(tmp_path.glob("*.json")))
        lost.note_lost(LostCall("first", "call-sid", "outbound", 1000, None))
        await lost.close()
        await until(lambda: not list(tmp_path.glob("*.json")))
    assert (sent(fake), len(fake.requests)) == (["first"], 1)


async def test_a_record_that_the_platform_did_not_take_is_not_the_calls(
    records: CallDataRecords, fake: FakePlatform, tmp_path: Path
) -> None:
    fake.answers = [503]
    write(tmp_path, "first", **{"sip_h_X-Somleng-CallSid": "call-sid"})
    async with running(records):
        await until(lambda: not list(tmp_path.glob("*.json")))
    assert sent(fake) == ["first"]


async def test_a_call_is_owed_a_record_until_one_is_sent(
    records: CallDataRecords, fake: FakePlatform, tmp_path: Path
) -> None:
    owed = OwedRecords(tmp_path)
    calls = [OwedCall(f"call-{name}", 1000) for name in ("sent", "refused", "half", "silent")]
    owed.note(calls)
    write(tmp_path, "a", **{"sip_h_X-Somleng-CallSid": "call-sent"})
    fake.answers = [503]
    await records.scan()
    assert owed.left() == sorted(calls, key=lambda call: call.channel)
    await records.scan()
    write(tmp_path, "b", **{"sip_h_X-Somleng-CallSid": "call-refused"})
    fake.answers = [422]
    await records.scan()
    half = write(tmp_path, "c", age=100, **{"sip_h_X-Somleng-CallSid": "call-half"})
    half.write_text(half.read_text()[:-20])
    os.utime(half, (1, 1))
    await records.scan()
    assert (tmp_path / "set-aside" / half.name).exists()
    assert {call.sid for call in owed.left()} == {"call-half", "call-silent"}


async def test_how_much_waits_is_told(records: CallDataRecords, fake: FakePlatform, tmp_path: Path) -> None:
    fake.answers = [503]
    assert (records.waiting, records.age) == (0, 0.0)
    for number in range(3):
        write(tmp_path, str(number), age=100 - number)
    await records.scan()
    assert records.waiting == 3
    assert 99 < records.age < 110
    assert records.problem is not None
    assert not await records.is_empty()
    await records.scan()
    await records.scan()
    assert await records.is_empty()
    assert (records.waiting, records.age, records.problem) == (0, 0.0, None)


async def test_a_directory_that_is_gone_is_a_problem_and_no_end(tmp_path: Path, client: PlatformClient) -> None:
    records = CallDataRecords(tmp_path / "records", client, pause=0.01, backoff=SHORT)
    async with running(records):
        shutil.rmtree(tmp_path / "records")
        await until(lambda: records.problem)
        (tmp_path / "records").mkdir()
        await until(lambda: records.problem is None)
    await records.close()


class Outage:
    """A platform that takes nothing the first times, and keeps what it takes."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.taken: list[str] = []

    async def send_call_data_record(self, document: str) -> None:
        if self.failures > 0:
            self.failures -= 1
            raise PlatformUnavailable("no answer")
        self.taken.append(json.loads(document)["variables"]["uuid"])


async def test_what_another_writer_left_half_done_is_not_looked_at(
    records: CallDataRecords, fake: FakePlatform, tmp_path: Path
) -> None:
    (tmp_path / ".a.partial").write_text("{")
    (tmp_path / "notes.txt").write_text("{")
    assert not await records.scan()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.partial", "notes.txt", "owed", "set-aside"]


async def test_many_records_are_dealt_with_without_a_pause(
    tmp_path: Path, client: PlatformClient, fake: FakePlatform
) -> None:
    records = CallDataRecords(tmp_path, client, pause=60)
    for number in range(150):
        write(tmp_path, str(number), record_cdr="false" if number % 10 else "true")
    async with running(records):
        await until(lambda: len(fake.call_data_records) == 15)
    await records.close()


def test_only_so_many_are_kept_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directories, "_ASIDE_MAXIMUM", 3)
    directory = directories.RecordDirectory(tmp_path)
    for number in range(5):
        write(tmp_path, str(number), age=100 - number)
    for file in directory.look(5, {}).files:
        directory.set_aside(file)
    assert sorted(path.name[0] for path in (tmp_path / "set-aside").iterdir()) == ["2", "3", "4"]


@pytest.mark.parametrize("number", ["1e999", "-1e999", "Infinity"])
async def test_a_number_beyond_all_bounds_is_set_aside(
    records: CallDataRecords, fake: FakePlatform, tmp_path: Path, number: str
) -> None:
    path = write(tmp_path, "a")
    path.write_text('{"variables":{"record_cdr":"true"},"mos":' + number + "}")
    write(tmp_path, "b")
    await records.scan()
    assert (tmp_path / "set-aside" / path.name).exists()
    assert sent(fake) == ["b"]


async def test_what_the_disk_does_not_let_go_is_sent_once_and_holds_nothing_up(
    tmp_path: Path, client: PlatformClient, fake: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = CallDataRecords(tmp_path, client, pause=0.01, backoff=SHORT)
    path, remove = write(tmp_path, "a", age=100), directories.RecordDirectory.remove

    def refuse(self: directories.RecordDirectory, file: directories.RecordFile) -> None:
        if file.path == path and sent(fake)[-1] != "c":
            raise PermissionError("read-only")
        remove(self, file)

    monkeypatch.setattr(directories.RecordDirectory, "remove", refuse)
    (tmp_path / "folder.json").mkdir()
    async with running(records):
        for uuid in ("b", "c"):
            other = write(tmp_path, uuid)
            await until(lambda other=other: not other.exists())  # type: ignore[misc]
        await until(lambda: not path.exists())
    assert sent(fake) == ["a", "b", "c"]
    assert len(fake.requests) == 3
    await records.close()


async def test_what_cannot_be_read_holds_nothing_up(
    records: CallDataRecords, fake: FakePlatform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, read = write(tmp_path, "a", age=100), directories.RecordDirectory.read
    is_broken = True

    def refuse(self: directories.RecordDirectory, file: directories.RecordFile) -> bytes:
        if is_broken and file.path == path:
            raise OSError("input/output error")
        return read(self, file)

    monkeypatch.setattr(directories.RecordDirectory, "read", refuse)
    other = write(tmp_path, "b")
    async with running(records):
        await until(lambda: not other.exists())
        assert path.exists()
        is_broken = False
        await until(lambda: not path.exists())
    assert sent(fake) == ["b", "a"]
