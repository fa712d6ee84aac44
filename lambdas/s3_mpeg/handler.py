"""The function's entry: S3 notifications in, MP3s in the bucket, one log line and a few metrics a recording.

Lambda calls it asynchronously. What it raises makes Lambda try the event again and, in the end, hand it to the
on-failure destination; so it raises only after it has tried every record, and it raises for every record that failed,
for those too that no retry cures: a recording without its MP3 must not go unseen.
"""

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger
from botocore.config import Config

from lambdas.s3_mpeg.convert import convert
from lambdas.s3_mpeg.deadline import Deadline
from lambdas.s3_mpeg.errors import Cause, ConversionError, RecordsFailed
from lambdas.s3_mpeg.metrics import publish_conversion, publish_failure, publish_skip
from lambdas.s3_mpeg.notification import SourceObject, created_object, records_of
from lambdas.s3_mpeg.outcome import Skipped
from lambdas.s3_mpeg.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# A read that waits longer than this for S3 is given up and resumed; see also Deadline.
_S3_CONFIG = Config(
    connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3}, tcp_keepalive=True
)

_LONGEST_INVOCATION_MS = 900_000
"""What Lambda allows at most, for a caller whose context keeps no time."""

logger = Logger()


def handler(event: Any, context: Any) -> None:
    """Convert every recording that the event says was created.

    Raises:
        RecordsFailed: at least one could not be converted; the message names each.
        ConversionError: BAD_EVENT, the event is no S3 notification.

    """
    logger.append_keys(function_request_id=getattr(context, "aws_request_id", None))
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    deadline = Deadline.before_end_of(remaining() if remaining else _LONGEST_INVOCATION_MS)
    settings = Settings.from_environment(os.environ)
    try:
        records = records_of(event)
    except ConversionError as error:
        _report(error, None)
        raise
    failures = [failure for record in records if (failure := _handle_record(record, settings, deadline)) is not None]
    if failures:
        raise RecordsFailed(failures)


def _handle_record(record: Any, settings: Settings, deadline: Deadline) -> str | None:
    """Convert what one record is about; return what went wrong, if anything did."""
    source = None
    try:
        source = created_object(record)
        if source is None or not source.is_recording:
            logger.info("ignored", event_name=record["eventName"], key=source.key if source else None)
            return None
        done = convert(_s3(), source, settings, deadline)
    except ConversionError as error:
        return _report(error, source)
    except Exception as error:  # noqa: BLE001 - the event's other records have a right to be tried; it is reported
        return _report(error, source)
    if isinstance(done, Skipped):
        logger.info("skipped", extra=_where(source) | {"reason": done.value})
        publish_skip(done)
    else:
        logger.info("converted", extra=_where(source) | done.facts())
        publish_conversion(done)
    return None


def _report(error: Exception, source: SourceObject | None) -> str:
    """Log and count a failure; return it as a sentence."""
    expected = isinstance(error, ConversionError)
    cause = error.cause if isinstance(error, ConversionError) else Cause.UNEXPECTED
    detail = error.detail if isinstance(error, ConversionError) else repr(error)
    notes = getattr(error, "__notes__", [])
    facts = _where(source) | {"cause": cause.value, "detail": detail} | ({"notes": notes} if notes else {})
    logger.error("not converted", extra=facts, exc_info=None if expected else error)
    publish_failure(cause)
    return f"{source or 'a record'}: {cause.value}: {detail}"


def _where(source: SourceObject | None) -> dict[str, Any]:
    return {
        "bucket": source.bucket if source else None,
        "key": source.key if source else None,
        "version": (source.version_id or source.etag) if source else None,
    }


@cache
def _s3() -> "S3Client":
    return boto3.client("s3", config=_S3_CONFIG)


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # In Lambda everything is built while the execution environment starts, before the first event waits for it. A
    # setting that makes no sense fails there too, and not only when the first recording comes.
    Settings.from_environment(os.environ)
    _s3()
