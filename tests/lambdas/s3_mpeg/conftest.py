"""The S3 MPEG function and its bucket in an emulated account."""

import json
from dataclasses import dataclass
from io import StringIO
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote_plus

import boto3
import pytest

from lambdas.s3_mpeg import handler as entry
from lambdas.s3_mpeg.errors import ConversionError
from lambdas.s3_mpeg.ffmpeg import ffmpeg_path

BUCKET = "recordings"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs an encoder where there is none."""
    try:
        ffmpeg_path()
    except ConversionError as error:
        for item in items:
            if "recordings" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.skip(reason=f"{error.detail}; pip install imageio-ffmpeg"))


@dataclass(frozen=True)
class Recordings:
    """The bucket, and the function that listens to it."""

    s3: Any
    _log: StringIO

    def put(self, key: str, body: bytes, **metadata: str) -> dict[str, Any]:
        """Put an object; return the record by which S3 tells of it."""
        put = self.s3.put_object(Bucket=BUCKET, Key=key, Body=body, Metadata=metadata)
        return self.record(key, etag=put["ETag"], version_id=put.get("VersionId"))

    def record(self, key: str, *, etag: str | None = None, version_id: str | None = None) -> dict[str, Any]:
        """Return the record by which S3 tells of an object."""
        item = {"key": quote_plus(key, safe="/"), "size": 1, "sequencer": "0A1B2C3D4E5F678901"}
        item |= {"eTag": etag.strip('"')} if etag else {}
        item |= {"versionId": version_id} if version_id else {}
        return {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": BUCKET}, "object": item},
        }

    def invoke(self, *records: Any, milliseconds: int = 900_000) -> None:
        """Invoke the function with a notification of these records."""
        self.invoke_with({"Records": list(records)}, milliseconds=milliseconds)

    def invoke_with(self, event: Any, milliseconds: int = 900_000) -> None:
        """Invoke the function with any event."""
        context = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: milliseconds)
        entry.handler(event, context)

    def get(self, key: str) -> bytes:
        """Return an object's bytes."""
        body: bytes = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body

    def head(self, key: str) -> dict[str, Any]:
        """Return what S3 says of an object."""
        answer: dict[str, Any] = self.s3.head_object(Bucket=BUCKET, Key=key)
        return answer

    def keys(self) -> list[str]:
        """Return every key in the bucket."""
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]

    def uploads(self) -> list[Any]:
        """Return the multipart uploads that are neither complete nor aborted."""
        uploads: list[Any] = self.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        return uploads

    @property
    def log(self) -> list[dict[str, Any]]:
        """The lines that the function has logged."""
        return [json.loads(line) for line in self._log.getvalue().splitlines()]

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The error lines among them."""
        return [line for line in self.log if line["level"] == "ERROR"]


@pytest.fixture
def recordings(aws: None, monkeypatch: pytest.MonkeyPatch) -> Recordings:
    """The function with an empty bucket."""
    for name in ("MP3_BIT_RATE", "CONVERT_TO_EXTENSION"):
        monkeypatch.delenv(name, raising=False)
    log = StringIO()
    monkeypatch.setattr(entry.logger.registered_handler, "stream", log)
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-southeast-1"})
    return Recordings(s3, log)
