"""Figures for operators, as lines of the CloudWatch embedded metric format, which the log driver carries.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, TextIO

_NAMESPACE: Final = "SomlengSWITCH"

GAUGES: Final = ("LiveCalls", "NotificationsWaiting")
"""What is told how it is."""

COUNTS: Final = (
    "NotificationDropped",
    "NotificationRefused",
    "MediaStreamStarted",
    "MediaStreamFailed",
    "MediaStreamOverflow",
    "CallDataRecordLost",
    "RecordingDelivered",
    "RecordingLost",
)
"""What is counted; `docs/switch-app.md` says what each means."""


class Metrics:
    """Counts what happens, and writes it down regularly with how things are.

    Args:
        service: the ECS service, the metrics' dimension: it tells deployments apart that share an account, where the
            region's alias would not.
        gauges: by name, what returns how things are; one for each of `GAUGES`.
        seconds: between two lines.
        stream: where lines go.
        clock: seconds since the epoch.

    """

    def __init__(
        self,
        service: str,
        gauges: Mapping[str, Callable[[], float]],
        seconds: float,
        stream: TextIO = sys.stdout,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._service, self._gauges, self._seconds = service, gauges, seconds
        self._stream, self._clock = stream, clock
        self._counts: Counter[str] = Counter()

    def count(self, name: str) -> None:
        """Add one to one of `COUNTS`.

        Raises:
            ValueError: for any other name, of which no alarm and no dashboard would know.

        """
        if name not in COUNTS:
            raise ValueError(f"{name!r} is no metric that is counted")
        self._counts[name] += 1

    async def run(self) -> None:
        """Write a line every now and then, until it is cancelled."""
        while True:
            await asyncio.sleep(self._seconds)
            self.write()

    def write(self) -> None:
        """Write a line; what was counted counts from zero on."""
        values: dict[str, float] = {name: gauge() for name, gauge in self._gauges.items()}
        values.update(self._counts)
        self._counts.clear()
        metrics = [{"Name": name, "Unit": "Count"} for name in values]
        directive = {"Namespace": _NAMESPACE, "Dimensions": [["ServiceName"]], "Metrics": metrics}
        line = {
            "_aws": {"Timestamp": int(self._clock() * 1000), "CloudWatchMetrics": [directive]},
            "ServiceName": self._service,
            **values,
        }
        # One write, so that no line of the log comes in between.
        self._stream.write(json.dumps(line) + "\n")
        self._stream.flush()
