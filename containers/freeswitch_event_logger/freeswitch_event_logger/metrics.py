"""The sidecar's CloudWatch metrics, as lines of the embedded metric format between the logs.

The log driver carries them, so no call to AWS is made. ECS scales on `SessionCount`.
"""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, Protocol

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

NAMESPACE: Final = "SomlengSWITCH"

UNITS: Final[Mapping[str, MetricUnit]] = {
    "SessionCount": MetricUnit.Count,
    "MaxSessions": MetricUnit.Count,
    "IdleCpu": MetricUnit.Percent,
    "CallDataRecordsWaiting": MetricUnit.Count,
    "CallDataRecordsAge": MetricUnit.Seconds,
    "EventSocketConnected": MetricUnit.Count,
    "EventSocketLost": MetricUnit.Count,
    "LogLinesLost": MetricUnit.Count,
    "CallHeartbeatFailed": MetricUnit.Count,
    "CallDataRecordSent": MetricUnit.Count,
    "CallDataRecordSetAside": MetricUnit.Count,
}
"""Every metric; `docs/event-logger.md` says what each means."""


class _Stream(Protocol):
    def write(self, text: str, /) -> int: ...


class Metrics:
    """Counts what happens, and writes it down with how things are.

    Args:
        service: the ECS service, the metrics' dimension.
        stream: where lines go.

    """

    def __init__(self, service: str, stream: _Stream) -> None:
        self._service, self._stream = service, stream
        self._counts: Counter[str] = Counter()

    def count(self, name: str, times: int = 1) -> None:
        """Add to a metric that is written with the next line of them all."""
        self._counts[name] += times

    def publish(self, values: Mapping[str, float], keys: Mapping[str, Any] | None = None) -> None:
        """Write a line with some metrics, and further keys that are none."""
        metrics = EphemeralMetrics(namespace=NAMESPACE)
        metrics.add_dimension("ServiceName", self._service)
        for name, value in values.items():
            metrics.add_metric(name, UNITS[name], value)
        line = {**(keys or {}), **metrics.serialize_metric_set()}
        self._stream.write(json.dumps(line) + "\n")

    def publish_counts(self, gauges: Mapping[str, float]) -> None:
        """Write a line with what was counted since the last one, and with how things are."""
        counts = {name: float(self._counts[name]) for name in _COUNTED}
        self._counts.clear()
        self.publish({**gauges, **counts})


_COUNTED: Final = (
    "EventSocketLost",
    "LogLinesLost",
    "CallHeartbeatFailed",
    "CallDataRecordSent",
    "CallDataRecordSetAside",
)
