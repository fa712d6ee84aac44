"""The scheduler's CloudWatch metrics, written to standard output in the embedded metric format.

The log driver carries them, so no call to AWS is made, and nothing is lost while it is out of reach.

What is counted of a gateway is there twice: under its own name, for pictures; and under the name of its ECS service
alone, for alarms, which have to know every dimension before there is a gateway. What has further dimensions is there
once, because each set of dimensions is a metric that is paid for.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any, Final

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
        service: the ECS service that it is a task of.

    """

    def __init__(self, kind: Kind, gateway: str, service: str) -> None:
        self._kind, self._gateway, self._service = kind, gateway, service

    def publish(self, values: Mapping[str, float], **dimensions: str) -> None:
        """Write some metrics, with further dimensions beside the gateway's service, kind and name."""
        if not values:
            return
        metrics = EphemeralMetrics(namespace=NAMESPACE)
        own = {"ServiceName": self._service, "gateway_kind": self._kind.value, "gateway_name": self._gateway}
        for dimension, text in {**own, **dimensions}.items():
            metrics.add_dimension(dimension, text)
        for name, value in values.items():
            metrics.add_metric(name, UNITS[name], value)
        line: dict[str, Any] = {**metrics.serialize_metric_set()}
        if not dimensions:
            line["_aws"]["CloudWatchMetrics"][0]["Dimensions"].append(["ServiceName"])
        # One write, so that no line of another thread, metric or log, comes in between; `print` makes two.
        sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
        sys.stdout.flush()

    def row_skipped(self, table: Table) -> None:
        """Count a row that could not be used, the moment it is found."""
        self.publish({"RowSkipped": 1}, table=table.value)

    def row_dropped(self, table: Table) -> None:
        """Count a row that OpenSIPS did not load, the moment it is found."""
        self.publish({"RowDropped": 1}, table=table.value)
