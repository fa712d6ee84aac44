"""S3 event notifications, as Lambda gets them.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from lambdas.s3_mpeg.errors import Cause, ConversionError

_EXTENSION = ".wav"


@dataclass(frozen=True, slots=True)
class SourceObject:
    """The object that an event is about.

    Attributes:
        bucket: its bucket.
        key: its key, decoded.
        version_id: its version; None where the bucket keeps no versions.
        etag: its ETag without quotes; None if the event does not say.

    """

    bucket: str
    key: str
    version_id: str | None = None
    etag: str | None = None

    def __str__(self) -> str:
        version = self.version_id or (f"etag {self.etag}" if self.etag else "unknown")
        return f"s3://{self.bucket}/{self.key} (version {version})"

    @property
    def is_recording(self) -> bool:
        """Whether the key is one to convert."""
        return self.key.lower().endswith(_EXTENSION)

    def key_with(self, extension: str) -> str:
        """Return the key with another extension instead of `.wav`."""
        return self.key[: -len(_EXTENSION)] + extension


def records_of(event: Any) -> Sequence[Any]:
    """Return the records of a notification; none for the test message that S3 sends when one is set up.

    Raises:
        ConversionError: BAD_EVENT, the event is something else.

    """
    if not isinstance(event, Mapping):
        raise ConversionError(Cause.BAD_EVENT, f"no S3 notification: a {type(event).__name__}")
    if event.get("Event") == "s3:TestEvent":
        return []
    records = event.get("Records")
    if not isinstance(records, list):
        raise ConversionError(Cause.BAD_EVENT, f"no S3 notification: an event with the keys {sorted(map(str, event))}")
    return records


def created_object(record: Any) -> SourceObject | None:
    """Return the object that a record says was created; None if the record is about something else.

    Raises:
        ConversionError: BAD_EVENT, the record does not name an object.

    """
    name = _text(record, "eventName")
    if not name.removeprefix("s3:").startswith("ObjectCreated:"):
        return None
    version_id = _member(record, "s3", "object").get("versionId")
    etag = str(_member(record, "s3", "object").get("eTag") or "").strip('"')
    key = unquote_plus(_text(record, "s3", "object", "key"))
    return SourceObject(
        _text(record, "s3", "bucket", "name"), key, str(version_id) if version_id else None, etag or None
    )


def _member(record: Any, *path: str) -> Mapping[str, Any]:
    """Return the mapping at a path of a record."""
    value = record
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping):
        raise ConversionError(Cause.BAD_EVENT, f"a record without {'.'.join(path) or 'members'}")
    return value


def _text(record: Any, *path: str) -> str:
    """Return the text, which must not be empty, at a path of a record."""
    value = _member(record, *path[:-1]).get(path[-1])
    if not isinstance(value, str) or not value:
        raise ConversionError(Cause.BAD_EVENT, f"a record without {'.'.join(path)}")
    return value
