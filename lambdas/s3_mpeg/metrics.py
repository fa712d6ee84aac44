"""The function's CloudWatch metrics, written to the log in the embedded metric format.

Each is flushed at once, so that what was done is counted even if the invocation ends in an error or is killed.
"""

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.s3_mpeg.errors import Cause
from lambdas.s3_mpeg.outcome import Converted, Skipped

_metrics = Metrics(namespace="SomlengSWITCH")


def publish_conversion(done: Converted) -> None:
    """Count a recording that was converted: how long it plays, its sizes, and the speed as a multiple of real time."""
    _metrics.add_metric("RecordingsConverted", MetricUnit.Count, 1)
    _metrics.add_metric("AudioSeconds", MetricUnit.Seconds, done.audio_seconds)
    _metrics.add_metric("BytesIn", MetricUnit.Bytes, done.bytes_in)
    _metrics.add_metric("BytesOut", MetricUnit.Bytes, done.bytes_out)
    if done.audio_seconds:
        _metrics.add_metric("EncodeSpeed", MetricUnit.NoUnit, done.speed)
    _metrics.flush_metrics()


def publish_skip(reason: Skipped) -> None:
    """Count a recording that needed no work, by the reason."""
    _count_by("RecordingsSkipped", "reason", reason)


def publish_failure(cause: Cause) -> None:
    """Count a recording that was not converted, by the cause."""
    _count_by("RecordingsFailed", "cause", cause)


def _count_by(name: str, dimension: str, value: str) -> None:
    _metrics.add_dimension(dimension, value)
    _metrics.add_metric(name, MetricUnit.Count, 1)
    _metrics.flush_metrics()
