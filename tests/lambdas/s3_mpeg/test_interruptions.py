"""What happens in the middle of a conversion: rivals, repeats, a killed encoder, a late hour. Nothing half stays."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError, ResponseStreamingError
from botocore.response import StreamingBody

from lambdas.s3_mpeg import handler as entry
from lambdas.s3_mpeg.errors import RecordsFailed
from lambdas.s3_mpeg.ffmpeg import ffmpeg_path
from tests.lambdas.s3_mpeg.conftest import Recordings
from tests.lambdas.s3_mpeg.wav_files import long_wav, wav

# At 64 kbit/s more than one part of an upload, and not the end of the file when the first is full.
_SECONDS = 900


@contextmanager
def just_before(operation: str, act: Callable[[], None], *, nth: int = 1) -> Iterator[list[int]]:
    """Act once, just before the function's n-th request of this operation leaves; yields the requests counted."""
    client = entry._s3()
    requests: list[int] = []

    def count_and_act(**_: Any) -> None:
        requests.append(1)
        if len(requests) == nth:
            act()

    client.meta.events.register(f"before-call.s3.{operation}", count_and_act)
    try:
        yield requests
    finally:
        client.meta.events.unregister(f"before-call.s3.{operation}", count_and_act)


def nothing() -> None:
    """Only count."""


@pytest.fixture
def long_recording(recordings: Recordings, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The record of a recording whose MP3 takes a multipart upload."""
    monkeypatch.setenv("MP3_BIT_RATE", "64k")
    return recordings.put("long.wav", long_wav(_SECONDS))


def test_a_long_recording_is_a_multipart_upload(recordings: Recordings, long_recording: dict[str, Any]) -> None:
    with just_before("UploadPart", nothing) as parts:
        recordings.invoke(long_recording)

    assert len(parts) == 2
    head = recordings.head("long.mp3")
    assert head["ContentLength"] * 8 / 64_000 == pytest.approx(_SECONDS, abs=0.25)
    assert head["ContentType"] == "audio/mpeg"
    assert recordings.uploads() == []


@pytest.mark.parametrize("with_etag", [True, False])
def test_a_repeated_event_reads_nothing_and_writes_nothing(recordings: Recordings, with_etag: bool) -> None:
    record = recordings.put("a.wav", wav())
    recordings.invoke(record)
    if not with_etag:
        del record["s3"]["object"]["eTag"]

    with just_before("PutObject", nothing) as writes, just_before("GetObject", nothing) as reads:
        recordings.invoke(record, record)

    assert writes == []
    assert with_etag is (reads == [])
    assert [line.get("reason") for line in recordings.log] == [None, "done", "done"]


def test_a_new_recording_under_the_same_key_is_converted_anew(recordings: Recordings) -> None:
    recordings.invoke(recordings.put("a.wav", wav(seconds=1)))
    recordings.invoke(recordings.put("a.wav", wav(seconds=3)))

    assert recordings.head("a.mp3")["ContentLength"] * 8 / 32_000 == pytest.approx(3, abs=0.25)


def test_an_mp3_of_unknown_origin_is_replaced(recordings: Recordings) -> None:
    recordings.put("a.mp3", b"whatever")
    recordings.invoke(recordings.put("a.wav", wav()))

    assert recordings.head("a.mp3")["ContentType"] == "audio/mpeg"


def test_an_event_that_comes_late_leaves_the_newer_recording_to_its_own_event(recordings: Recordings) -> None:
    late = recordings.put("a.wav", wav(seconds=1))
    newer = recordings.put("a.wav", wav(seconds=3))
    recordings.invoke(newer)
    recordings.invoke(late)

    assert [line.get("reason") for line in recordings.log] == [None, "replaced"]
    assert recordings.head("a.mp3")["ContentLength"] * 8 / 32_000 == pytest.approx(3, abs=0.25)


def test_versions_are_told_apart(recordings: Recordings) -> None:
    recordings.s3.put_bucket_versioning(Bucket="recordings", VersioningConfiguration={"Status": "Enabled"})
    first = recordings.put("a.wav", wav(seconds=1))
    second = recordings.put("a.wav", wav(seconds=3))
    recordings.invoke(second)
    recordings.invoke(first)
    recordings.invoke(second)

    assert [line.get("reason") for line in recordings.log] == [None, "replaced", "done"]
    assert recordings.head("a.mp3")["Metadata"]["source-version-id"] == second["s3"]["object"]["versionId"]
    assert len(recordings.s3.list_object_versions(Bucket="recordings", Prefix="a.mp3")["Versions"]) == 1


@pytest.mark.parametrize("operation", ["PutObject", "CompleteMultipartUpload"])
def test_of_two_invocations_at_once_one_writes(
    recordings: Recordings, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    monkeypatch.setenv("MP3_BIT_RATE", "64k")
    long = operation == "CompleteMultipartUpload"
    record = recordings.put("a.wav", long_wav(_SECONDS) if long else wav())

    with just_before(operation, lambda: recordings.invoke(record)):
        recordings.invoke(record)

    # The one inside was the first to be done; the other finds that out when it wants to publish.
    assert [(line["message"], line.get("reason")) for line in recordings.log] == [
        ("converted", None),
        ("skipped", "done"),
    ]
    assert recordings.uploads() == []


def test_a_rival_with_another_recording_makes_the_event_fail_and_its_retry_find_out(recordings: Recordings) -> None:
    record = recordings.put("a.wav", wav(seconds=1))

    def rival() -> None:
        recordings.invoke(recordings.put("a.wav", wav(seconds=3)))

    with just_before("PutObject", rival), pytest.raises(RecordsFailed, match=r"a\.wav .*conflict"):
        recordings.invoke(record)
    recordings.invoke(record)

    assert recordings.log[-1]["reason"] == "replaced"
    assert recordings.head("a.mp3")["ContentLength"] * 8 / 32_000 == pytest.approx(3, abs=0.25)


def test_a_recording_replaced_while_it_is_read_is_read_to_its_end(
    recordings: Recordings, long_recording: dict[str, Any]
) -> None:
    newer: list[dict[str, Any]] = []
    with just_before("UploadPart", lambda: newer.append(recordings.put("long.wav", wav()))):
        recordings.invoke(long_recording)
    assert recordings.head("long.mp3")["Metadata"]["source-etag"] == long_recording["s3"]["object"]["eTag"]

    recordings.invoke(*newer)
    assert recordings.head("long.mp3")["Metadata"]["source-etag"] == newer[0]["s3"]["object"]["eTag"]


@contextmanager
def hang_up(meanwhile: Callable[[], None]) -> Iterator[None]:
    """Break the connection that a recording is read from after its second piece, once something has happened."""
    read = StreamingBody.read
    reads: list[int] = []

    def break_once(body: StreamingBody, amt: int | None = None) -> bytes:
        reads.append(1)
        if len(reads) == 3:
            meanwhile()
            raise ResponseStreamingError(error="connection reset by peer")
        piece: bytes = read(body, amt)
        return piece

    with patch.object(StreamingBody, "read", break_once):
        yield


def test_a_connection_that_breaks_changes_nothing(recordings: Recordings, long_recording: dict[str, Any]) -> None:
    recordings.invoke(recordings.put("same.wav", long_wav(_SECONDS)))
    with hang_up(nothing), just_before("GetObject", nothing) as requests:
        recordings.invoke(long_recording)

    assert len(requests) == 2
    assert recordings.get("long.mp3") == recordings.get("same.mp3")


def test_a_recording_replaced_when_its_connection_breaks_is_left_to_its_own_event(
    recordings: Recordings, long_recording: dict[str, Any]
) -> None:
    with hang_up(lambda: recordings.put("long.wav", wav()) and None):
        recordings.invoke(long_recording)

    assert recordings.log[-1]["reason"] == "replaced"
    assert recordings.keys() == ["long.wav"]
    assert recordings.uploads() == []
    assert _encoders() == []


def test_a_recording_removed_when_its_connection_breaks_has_vanished(
    recordings: Recordings, long_recording: dict[str, Any]
) -> None:
    def remove() -> None:
        recordings.s3.delete_object(Bucket="recordings", Key="long.wav")

    with hang_up(remove), pytest.raises(RecordsFailed, match=r"long\.wav .*vanished"):
        recordings.invoke(long_recording)

    assert recordings.keys() == []
    assert recordings.uploads() == []


def test_a_killed_encoder_leaves_no_object_and_no_upload(
    recordings: Recordings, long_recording: dict[str, Any]
) -> None:
    with just_before("UploadPart", _kill_encoder), pytest.raises(RecordsFailed, match=r"encoder: .*signal 9"):
        recordings.invoke(long_recording)

    assert recordings.keys() == ["long.wav"]
    assert recordings.uploads() == []
    assert _encoders() == []


def test_an_upload_that_is_refused_ends_the_encoder_and_is_aborted(
    recordings: Recordings, long_recording: dict[str, Any]
) -> None:
    with just_before("UploadPart", _refuse), pytest.raises(RecordsFailed, match=r"forbidden: .*AccessDenied"):
        recordings.invoke(long_recording)

    assert recordings.keys() == ["long.wav"]
    assert recordings.uploads() == []
    assert _encoders() == []


@pytest.mark.parametrize("operation", ["HeadObject", "GetObject", "PutObject"])
def test_whatever_s3_refuses_fails_the_recording_by_name(recordings: Recordings, operation: str) -> None:
    record = recordings.put("a.wav", wav())
    with just_before(operation, _refuse), pytest.raises(RecordsFailed, match=r"a\.wav .*forbidden: .*AccessDenied"):
        recordings.invoke(record)

    assert recordings.keys() == ["a.wav"]


def test_an_abort_that_is_refused_too_is_told_beside_the_cause(
    recordings: Recordings, long_recording: dict[str, Any]
) -> None:
    with (
        just_before("UploadPart", _refuse),
        just_before("AbortMultipartUpload", _refuse),
        pytest.raises(RecordsFailed, match="forbidden: writing the MP3"),
    ):
        recordings.invoke(long_recording)

    [line] = recordings.errors
    assert line["notes"][0].startswith("aborting the upload")


def test_an_invocation_whose_time_runs_out_clears_up_first(
    recordings: Recordings, long_recording: dict[str, Any]
) -> None:
    with pytest.raises(RecordsFailed, match="out_of_time"):
        recordings.invoke(long_recording, milliseconds=200)

    assert recordings.errors[0]["cause"] == "out_of_time"
    assert recordings.keys() == ["long.wav"]
    assert recordings.uploads() == []
    assert _encoders() == []


def test_records_for_which_no_time_is_left_are_each_told(recordings: Recordings) -> None:
    records = [recordings.put(f"{name}.wav", wav()) for name in "ab"]
    with pytest.raises(RecordsFailed, match=r"a\.wav .*out_of_time.*b\.wav .*out_of_time"):
        recordings.invoke(*records, milliseconds=0)

    assert [line["key"] for line in recordings.errors] == ["a.wav", "b.wav"]


def test_without_an_encoder_the_recording_fails(
    recordings: Recordings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lambdas.s3_mpeg.ffmpeg.ffmpeg_path", lambda: tmp_path / "ffmpeg")
    with pytest.raises(RecordsFailed, match=r"encoder: ffmpeg cannot be started: .*No such file"):
        recordings.invoke(recordings.put("a.wav", wav()))

    assert recordings.keys() == ["a.wav"]


def _encoders() -> list[int]:
    """Return the encoders that this process has started and that are alive, or dead and not buried."""
    children = Path(f"/proc/{os.getpid()}/task")
    if not children.exists():
        pytest.skip("/proc tells which processes are alive, and there is none here")
    pids = [int(pid) for task in children.iterdir() for pid in (task / "children").read_text().split()]
    return [pid for pid in pids if Path(f"/proc/{pid}/comm").read_text().strip() in ffmpeg_path().name]


def _kill_encoder() -> None:
    for pid in _encoders():
        os.kill(pid, signal.SIGKILL)


def _refuse() -> None:
    """What botocore makes of S3's answer to somebody without the permission."""
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}, "Any")
