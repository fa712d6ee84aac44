"""Recordings from the disk to the platform, whatever fails and whenever the app dies."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from switch_app.backoff import Backoff
from switch_app.call_platform.api import Api
from switch_app.call_platform.client import PlatformClient
from switch_app.call_platform.password import FixedPassword
from switch_app.recordings.bucket import RecordingsBucket
from switch_app.recordings.directory import RecordingDirectory
from switch_app.recordings.spool import RecordingSpool
from switch_app.services import RecordingReference
from tests.containers.switch_app.recordings.wav_files import silence, tone, write_wav
from tests.fakes.call_platform import CallPlatform as FakePlatform

BUCKET, REGION = "raw-recordings.somleng.org", "ap-southeast-1"
SHORT = Backoff(first=0.005, longest=0.01)
CALL = "9c76f7f6-3aff-4f7b-a76a-0d017b5df900"


class Storage:
    """S3, emulated, behind a client whose next uploads may fail."""

    def __init__(self) -> None:
        self.client = boto3.client("s3", region_name=REGION)
        self.client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.failures: list[Exception] = []
        self.uploads: list[str] = []

    def upload_file(self, path: str, bucket: str, key: str, **arguments: Any) -> None:
        self.uploads.append(key)
        if self.failures:
            raise self.failures.pop(0)
        self.client.upload_file(path, bucket, key, **arguments)

    def keys(self) -> list[str]:
        return [entry["Key"] for entry in self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


@pytest.fixture
def storage(aws: None) -> Storage:
    return Storage()


@pytest.fixture
def fake() -> Iterator[FakePlatform]:
    with FakePlatform("services", "password") as running:
        running.add_call("call")
        yield running


@pytest.fixture
async def client(fake: FakePlatform) -> AsyncIterator[PlatformClient]:
    api = Api(fake.url, "services", FixedPassword("password"), backoff=SHORT, attempts=1)
    yield PlatformClient(api)
    await api.close()


@pytest.fixture
async def recording(client: PlatformClient) -> RecordingReference:
    return await client.create_recording("call", None, None)


@pytest.fixture
def counted() -> list[str]:
    return []


@pytest.fixture
def make(tmp_path: Path, storage: Storage, client: PlatformClient, counted: list[str]) -> Callable[..., RecordingSpool]:
    def make_spool(**arguments: Any) -> RecordingSpool:
        bucket = RecordingsBucket(storage, BUCKET, REGION)
        return RecordingSpool(tmp_path, bucket, client, backoff=SHORT, count=counted.append, **arguments)

    return make_spool


def left_on(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.is_file())


async def test_a_recording_is_in_the_bucket_before_the_platform_is_told(
    make: Callable[..., RecordingSpool],
    storage: Storage,
    fake: FakePlatform,
    recording: RecordingReference,
    tmp_path: Path,
    counted: list[str],
) -> None:
    spool = make()
    path = write_wav(spool.new_path(CALL), tone(1.5))
    content = path.read_bytes()
    assert path.name == f"{CALL}-1.wav"
    assert await spool.deliver(path, recording) == pytest.approx(1.5)
    await spool.close(5)
    stored = storage.client.get_object(Bucket=BUCKET, Key=f"{CALL}-1.wav")
    assert (stored["Body"].read(), stored["ContentType"]) == (content, "audio/wav")
    assert fake.recordings[recording.sid] == {
        "phone_call_id": "call",
        "raw_recording_url": f"https://{BUCKET}.s3.{REGION}.amazonaws.com/{CALL}-1.wav",
        "external_id": f"{CALL}-1",
    }
    assert left_on(tmp_path) == []
    assert counted == ["RecordingDelivered"]


async def test_no_name_comes_twice_for_a_call(
    make: Callable[..., RecordingSpool], recording: RecordingReference, storage: Storage
) -> None:
    spool = make()
    for number in range(1, 4):
        path = write_wav(spool.new_path(CALL), tone(0.1))
        assert path.name == f"{CALL}-{number}.wav"
        await spool.deliver(path, recording)
    await spool.close(5)
    assert len(storage.keys()) == 3


async def test_failures_are_tried_again_upload_by_upload_and_step_by_step(
    make: Callable[..., RecordingSpool], storage: Storage, fake: FakePlatform, recording: RecordingReference
) -> None:
    storage.failures = [EndpointConnectionError(endpoint_url="https://s3"), OSError("disk")]
    fake.answers = [500, 503]
    spool = make()
    await spool.deliver(write_wav(spool.new_path(CALL), tone(0.1)), recording)
    await spool.close(5)
    assert len(storage.uploads) == 3  # once more for each failure of its own, and not for the platform's
    assert "raw_recording_url" in fake.recordings[recording.sid]


@pytest.mark.parametrize("moment", ["before the upload", "after the upload", "after the platform was told"])
async def test_an_app_that_is_killed_leaves_the_recording_to_the_next(
    make: Callable[..., RecordingSpool],
    storage: Storage,
    fake: FakePlatform,
    recording: RecordingReference,
    tmp_path: Path,
    moment: str,
) -> None:
    directory = RecordingDirectory(tmp_path)  # a process that got so far and no further
    path = write_wav(directory.new_path(CALL), tone(0.1))
    accepted = directory.accept(path, recording.sid)
    assert accepted is not None
    delivery = accepted[0]
    if moment != "before the upload":
        storage.client.upload_file(str(path), BUCKET, path.name)
        directory.uploaded(delivery)
    if moment == "after the platform was told":
        path.unlink()
    spool = make()
    await spool.start()
    await spool.close(5)
    assert storage.keys() == [f"{CALL}-1.wav"]
    assert len(storage.uploads) == (1 if moment == "before the upload" else 0)
    assert fake.recordings[recording.sid]["external_id"] == f"{CALL}-1"
    assert left_on(tmp_path) == []


async def test_what_cannot_be_delivered_before_the_end_is_left_for_the_next(
    make: Callable[..., RecordingSpool],
    storage: Storage,
    fake: FakePlatform,
    recording: RecordingReference,
    tmp_path: Path,
) -> None:
    fake.answers = [500] * 10_000
    spool = make()
    await spool.deliver(write_wav(spool.new_path(CALL), tone(0.1)), recording)
    await spool.close(0.1)
    assert left_on(tmp_path) == [f"{CALL}-1.json", f"{CALL}-1.wav"]
    fake.answers = []
    again = make()
    await again.start()
    await again.close(5)
    assert "raw_recording_url" in fake.recordings[recording.sid]


async def test_a_recording_that_the_platform_refuses_is_kept(
    make: Callable[..., RecordingSpool], tmp_path: Path, counted: list[str]
) -> None:
    spool = make()
    path = write_wav(spool.new_path(CALL), tone(0.1))
    await spool.deliver(path, RecordingReference("unknown", "https://api.somleng.org/unknown"))
    await spool.close(5)
    assert left_on(tmp_path) == []
    assert left_on(tmp_path / "dead") == [f"{CALL}-1.json", f"{CALL}-1.wav"]
    assert counted == ["RecordingLost"]


async def test_a_recording_that_fails_for_too_long_is_kept(
    make: Callable[..., RecordingSpool], storage: Storage, recording: RecordingReference, tmp_path: Path
) -> None:
    storage.failures = [OSError("no")] * 100
    spool = make(give_up=0.03)
    await spool.deliver(write_wav(spool.new_path(CALL), tone(0.1)), recording)
    await spool.close(5)
    assert left_on(tmp_path / "dead") == [f"{CALL}-1.json", f"{CALL}-1.wav"]


async def test_a_file_without_audio_is_not_delivered(
    make: Callable[..., RecordingSpool], recording: RecordingReference, tmp_path: Path, storage: Storage
) -> None:
    spool = make()
    silent = write_wav(spool.new_path(CALL), silence(1))
    await spool.trim(silent)
    assert await spool.deliver(silent, recording) is None
    empty = spool.new_path(CALL)
    empty.touch()
    assert await spool.deliver(empty, recording) is None
    assert await spool.deliver(spool.new_path(CALL), recording) is None
    broken = spool.new_path(CALL)
    broken.write_bytes(b"no audio at all")
    await spool.trim(broken)
    assert await spool.deliver(broken, recording) is None
    await spool.close(5)
    assert left_on(tmp_path) == []
    assert left_on(tmp_path / "dead") == [broken.name]
    assert storage.uploads == []


async def test_a_caller_that_is_cancelled_leaves_the_delivery_running(
    make: Callable[..., RecordingSpool], recording: RecordingReference, fake: FakePlatform
) -> None:
    spool = make()
    delivering = asyncio.create_task(spool.deliver(write_wav(spool.new_path(CALL), tone(0.1)), recording))
    await asyncio.sleep(0)
    delivering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await delivering
    async with asyncio.timeout(5):
        while "raw_recording_url" not in fake.recordings[recording.sid]:
            await asyncio.sleep(0.01)
    await spool.close(5)


async def test_an_app_that_is_killed_while_it_records_leaves_what_was_recorded_to_the_next(
    make: Callable[..., RecordingSpool], recording: RecordingReference, fake: FakePlatform, tmp_path: Path
) -> None:
    first = make()
    path, never_written, silent = first.new_path(CALL), first.new_path(CALL), first.new_path(CALL)
    for expected in (path, never_written, silent):
        await first.expect(expected, recording)
    write_wav(path, tone(0.5))
    write_wav(silent, tone(0))
    again = make()
    assert again.new_path(CALL).name == f"{CALL}-4.wav"
    await again.start()
    await again.close(5)
    assert fake.recordings[recording.sid]["external_id"] == f"{CALL}-1"
    assert left_on(tmp_path) == []
    assert left_on(tmp_path / "dead") == []


async def test_nothing_is_left_of_a_recording_that_was_expected_and_came_to_nothing(
    make: Callable[..., RecordingSpool], recording: RecordingReference, tmp_path: Path
) -> None:
    spool = make()
    path = spool.new_path(CALL)
    await spool.expect(path, recording)
    assert await spool.deliver(path, recording) is None
    await spool.close(5)
    assert left_on(tmp_path) == []


async def test_what_was_never_handed_over_is_kept_for_a_while(
    make: Callable[..., RecordingSpool], tmp_path: Path
) -> None:
    write_wav(tmp_path / f"{CALL}-1.wav", tone(0.1))
    (tmp_path / f"{CALL}-2.json").write_text("{")
    (tmp_path / ".a.json.partial").touch()
    (tmp_path / "dead").mkdir()
    old = tmp_path / "dead" / "old.wav"
    old.touch()
    os.utime(old, (time.time() - 8 * 24 * 3600,) * 2)
    spool = make()
    await spool.start()
    await spool.close(5)
    assert left_on(tmp_path) == []
    assert left_on(tmp_path / "dead") == [f"{CALL}-1.wav", f"{CALL}-2.json"]


def test_a_name_cannot_lead_out_of_the_directory(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no channel's identifier"):
        RecordingDirectory(tmp_path).new_path("../etc/passwd")


def test_what_is_noted_says_no_more_than_is_needed(tmp_path: Path) -> None:
    directory = RecordingDirectory(tmp_path, clock=lambda: 5.0)
    directory.accept(write_wav(directory.new_path(CALL), tone(0.1)), "sid")
    note = json.loads((tmp_path / f"{CALL}-1.json").read_text())
    assert note == {"key": f"{CALL}-1.wav", "sid": "sid", "handed_over": 5.0, "is_uploaded": False}
