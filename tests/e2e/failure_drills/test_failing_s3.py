"""S3 fails in the middle of a conversion: it throttles, breaks bodies off, loses answers. ffmpeg is the real one.

Parts of an upload are small here, so that a short recording has several.
"""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from lambdas.s3_mpeg import handler as entry
from lambdas.s3_mpeg import result
from lambdas.s3_mpeg.errors import ConversionError
from lambdas.s3_mpeg.ffmpeg import ffmpeg_path
from tests.e2e.failure_drills.conftest import note
from tests.lambdas.s3_mpeg.wav_files import long_wav
from tests.support.faulty_aws import Fault, FaultyAws, all_of, count, share
from tests.support.lambda_retries import LambdaRetries
from tests.support.skipped_waits import skipped_waits

BUCKET = "recordings"
SECONDS = 90
PART_BYTES = 256 * 1024
"""At 64 kbit/s a recording is three parts."""


class Recordings:
    """The bucket, and the function that S3 tells of recordings."""

    def __init__(self) -> None:
        self.s3 = boto3.client("s3")
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-southeast-1"})
        self.body = long_wav(SECONDS)

    def put(self, name: str) -> dict[str, Any]:
        """Put the recording, and return the event that tells of it."""
        etag = self.s3.put_object(Bucket=BUCKET, Key=f"{name}.wav", Body=self.body)["ETag"]
        record = {"bucket": {"name": BUCKET}, "object": {"key": f"{name}.wav", "eTag": etag.strip('"')}}
        return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": record}]}

    def mp3(self, name: str) -> bytes:
        """Return what was converted."""
        return bytes(self.s3.get_object(Bucket=BUCKET, Key=f"{name}.mp3")["Body"].read())

    def keys(self) -> list[str]:
        """Return the keys of the bucket."""
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=BUCKET)["Contents"]]

    def uploads(self) -> list[Any]:
        """Return the multipart uploads that were neither completed nor aborted."""
        return list(self.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []))


def invoke(event: dict[str, Any]) -> None:
    entry.handler(event, SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: 900_000))


@pytest.fixture
def recordings(aws: FaultyAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recordings]:
    try:
        ffmpeg_path()
    except ConversionError as error:
        pytest.skip(f"{error.detail}; pip install imageio-ffmpeg")
    monkeypatch.setenv("MP3_BIT_RATE", "64k")
    monkeypatch.setattr(result, "PART_BYTES", PART_BYTES)
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", PART_BYTES)
    entry._s3.cache_clear()
    yield Recordings()
    entry._s3.cache_clear()


def test_a_share_of_s3_s_answers_fail_and_the_mp3_is_the_same(aws: FaultyAws, recordings: Recordings) -> None:
    invoke(recordings.put("undisturbed"))
    event = recordings.put("disturbed")
    retries = LambdaRetries(invoke)
    with aws.faults(share(0.4, 1, Fault.THROTTLED, Fault.CUT, Fault.LOST)) as requests, skipped_waits() as waits:
        retries.put(event)
    note("S3, four of ten answers", invocations=retries.invocations, waited=waits.seconds, **count(requests))
    assert retries.failures == []
    assert recordings.mp3("disturbed") == recordings.mp3("undisturbed")
    assert recordings.uploads() == []


@pytest.mark.parametrize("operations", ["GET$", "PUT partNumber", "POST uploadId"], ids=["read", "part", "complete"])
def test_s3_fails_altogether_at_one_step_and_the_event_sent_again_makes_it_good(
    aws: FaultyAws, recordings: Recordings, operations: str
) -> None:
    event = recordings.put("a")
    retries = LambdaRetries(invoke)
    with aws.faults(all_of("s3", Fault.THROTTLED, operations=operations)) as requests, skipped_waits() as waits:
        retries.put(event)
    note(f"S3, all {operations}", invocations=retries.invocations, waited=waits.seconds, **count(requests))
    assert (retries.failures, retries.invocations) == ([event], 3)
    assert (recordings.keys(), recordings.uploads()) == (["a.wav"], [])
    invoke(event)
    assert recordings.keys() == ["a.mp3", "a.wav"]
