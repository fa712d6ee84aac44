"""The function's CloudWatch metrics, written to the log in the embedded metric format.

Each is flushed at once, so that what was done is counted even if the invocation ends in an error or is killed.
"""

from collections.abc import Mapping
from typing import Final

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.s3_mpeg.errors import Cause
from lambdas.s3_mpeg.outcome import Converted, Skipped

metrics = Metrics(namespace="SomlengSWITCH")
"""One for the process; its dimension is `service`, which `POWERTOOLS_SERVICE_NAME` says."""

UNITS: Final[Mapping[str, MetricUnit]] = {
    "RecordingsConverted": MetricUnit.Count,
    "AudioSeconds": MetricUnit.Seconds,
    "BytesIn": MetricUnit.Bytes,
    "BytesOut": MetricUnit.Bytes,
    "EncodeSpeed": MetricUnit.NoUnit,
}
"""Metrics of a conversion; `docs/s3-mpeg.md` says what each means."""

COUNTED_BY: Final[Mapping[str, str]] = {"RecordingsSkipped": "reason", "RecordingsFailed": "cause"}
"""What is counted with a dimension more, by its name."""


def publish_conversion(done: Converted) -> None:
    """Count a recording that was converted: how long it plays, its sizes, and the speed as a multiple of real time."""
    values = {
        "RecordingsConverted": 1,
        "AudioSeconds": done.audio_seconds,
        "BytesIn": done.bytes_in,
        "BytesOut": done.bytes_out,
        **({"EncodeSpeed": done.speed} if done.audio_seconds else {}),
    }
    for name, value in values.items():
        metrics.add_metric(name, UNITS[name], value)
    metrics.flush_metrics()


def publish_skip(reason: Skipped) -> None:
    """Count a recording that needed no work, by the reason."""
    _count_by("RecordingsSkipped", reason)


def publish_failure(cause: Cause) -> None:
    """Count a recording that was not converted, by the cause."""
    _count_by("RecordingsFailed", cause)


def _count_by(name: str, value: str) -> None:
    metrics.add_dimension(COUNTED_BY[name], value)
    metrics.add_metric(name, MetricUnit.Count, 1)
    metrics.flush_metrics()
