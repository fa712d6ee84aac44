"""The scheduler's CloudWatch metrics, written to standard output in the embedded metric format.

The log driver carries them, so no call to AWS is made, and nothing is lost while it is out of reach.
"""

import json
import sys
from collections.abc import Mapping
from typing import Final

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from opensips_scheduler.settings import Kind
from routing import Table

NAMESPACE: Final = "SomlengSWITCH"

UNITS: Final[Mapping[str, MetricUnit]] = {
    "DataAge": MetricUnit.Seconds,
    "DataStale": MetricUnit.Count,
    "JournalLag": MetricUnit.Count,
    "JournalPosition": MetricUnit.Count,
    "FormerTargets": MetricUnit.Count,
    "RowsSkipped": MetricUnit.Count,
    "RowsDropped": MetricUnit.Count,
    "Rows": MetricUnit.Count,
    "ReloadTime": MetricUnit.Seconds,
    "ContactsWaiting": MetricUnit.Count,
    "MediaProxiesUsable": MetricUnit.Count,
    "EventSocketsSilent": MetricUnit.Count,
    "OpensipsUnreachable": MetricUnit.Count,
    "CallsWithoutSwitch": MetricUnit.Count,
    "CallsWithoutMediaProxy": MetricUnit.Count,
    "RequestsRefused": MetricUnit.Count,
    "RowSkipped": MetricUnit.Count,
    "RowDropped": MetricUnit.Count,
}
"""Every metric; `docs/gateways.md` says what each means."""


class GatewayMetrics:
    """The metrics of one gateway. Any thread may publish.

    Args:
        kind: of the gateway.
        gateway: its name.

    """

    def __init__(self, kind: Kind, gateway: str) -> None:
        self._kind, self._gateway = kind, gateway

    def publish(self, values: Mapping[str, float], **dimensions: str) -> None:
        """Write some metrics, with further dimensions beside the gateway's kind and name."""
        if not values:
            return
        metrics = EphemeralMetrics(namespace=NAMESPACE)
        for dimension, text in {"gateway_kind": self._kind.value, "gateway_name": self._gateway, **dimensions}.items():
            metrics.add_dimension(dimension, text)
        for name, value in values.items():
            metrics.add_metric(name, UNITS[name], value)
        # One write, so that no line of another thread, metric or log, comes in between; `print` makes two.
        sys.stdout.write(json.dumps(metrics.serialize_metric_set(), separators=(",", ":")) + "\n")
        sys.stdout.flush()

    def row_skipped(self, table: Table) -> None:
        """Count a row that could not be used, the moment it is found."""
        self.publish({"RowSkipped": 1}, table=table.value)

    def row_dropped(self, table: Table) -> None:
        """Count a row that OpenSIPS did not load, the moment it is found."""
        self.publish({"RowDropped": 1}, table=table.value)
