"""Has our programs write their metrics, and reads off the lines what CloudWatch makes of them."""

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from freeswitch_event_logger.metrics import UNITS as EVENT_LOGGER_UNITS
from freeswitch_event_logger.metrics import Metrics as EventLoggerMetrics
from lambdas.s3_mpeg import metrics as s3_mpeg
from lambdas.s3_mpeg.errors import Cause
from lambdas.s3_mpeg.mp3_format import Mp3Format
from lambdas.s3_mpeg.outcome import Converted, Skipped
from lambdas.s3_mpeg.wav_format import Coding, WavFormat
from lambdas.services import metrics as services
from opensips_scheduler.metrics import GatewayMetrics
from opensips_scheduler.opensips_statistics import STATISTICS
from opensips_scheduler.settings import TABLES, Kind
from opensips_scheduler.state import State
from routing import Table
from switch_app.metrics import COUNTS, GAUGES
from switch_app.metrics import Metrics as SwitchAppMetrics


@dataclass(frozen=True)
class Emitted:
    """A metric as CloudWatch has it: its name, and its dimensions with the values that were written."""

    name: str
    dimensions: frozenset[tuple[str, str]]

    def names(self) -> frozenset[str]:
        """Return the names of its dimensions."""
        return frozenset(name for name, _ in self.dimensions)


def of_gateway(kind: Kind, service: str) -> set[Emitted]:
    """Return what a gateway's scheduler writes."""
    return _lines(lambda: _run_scheduler(GatewayMetrics(kind, "203.0.113.7", service), kind))


def of_switch(service: str) -> set[Emitted]:
    """Return what the switch app and the event logger of a switch write."""
    stream = io.StringIO()
    app = SwitchAppMetrics(service, {name: lambda: 0 for name in GAUGES}, 60, stream)
    for name in COUNTS:
        app.count(name)
    app.write()
    logger = EventLoggerMetrics(service, stream)
    logger.publish(dict.fromkeys(EVENT_LOGGER_UNITS, 0.0))
    return set(_read(stream.getvalue()))


def of_services(function: str) -> set[Emitted]:
    """Return what the services function writes."""
    return _of_function(services.metrics, function, _count_all)


def of_s3_mpeg(function: str) -> set[Emitted]:
    """Return what the S3 MPEG function writes."""
    return _of_function(s3_mpeg.metrics, function, _convert)


def _run_scheduler(metrics: GatewayMetrics, kind: Kind) -> None:
    is_client = kind is Kind.CLIENT
    state = State(
        ready=True,
        age=1.0,
        journal_lag=0,
        positions=dict.fromkeys(TABLES[kind], 1),
        rows=dict.fromkeys(TABLES[kind], 1),
        skipped={},
        former_targets=0,
        dropped={},
        reloads_due=(),
        reload_seconds={"lb_reload": 0.1},
        contacts_waiting=0 if is_client else None,
        media_proxies=() if is_client else None,
        silent_event_sockets=(),
        errors={},
    )
    for values, dimensions in state.metrics():
        metrics.publish(values, **dimensions)
    metrics.publish(dict.fromkeys(STATISTICS[kind].values(), 0.0))
    metrics.row_skipped(Table.ADDRESSES)
    metrics.row_dropped(Table.ADDRESSES)


def _count_all() -> None:
    for name in services.COUNTS:
        services.metrics.add_metric(name, MetricUnit.Count, 1)
    services.metrics.flush_metrics()


def _convert() -> None:
    wav, mp3 = WavFormat(Coding.PCM, 1, 8000, 2), Mp3Format(8000, 1, 32_000)
    s3_mpeg.publish_conversion(Converted("a.mp3", wav, mp3, 1.0, 0.1, 16_000, 4_000, None, None, []))
    s3_mpeg.publish_skip(Skipped.DONE)
    s3_mpeg.publish_failure(Cause.EMPTY)


def _of_function(metrics: Metrics, function: str, write: Callable[[], None]) -> set[Emitted]:
    # Powertools read the name from the environment when the module was imported.
    with mock.patch.object(metrics.provider, "service", function):
        return _lines(write)


def _lines(write: Callable[[], None]) -> set[Emitted]:
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        write()
    return set(_read(written.getvalue()))


def _read(text: str) -> Iterator[Emitted]:
    for line in text.splitlines():
        told: dict[str, Any] = json.loads(line)
        for directive in told["_aws"]["CloudWatchMetrics"]:
            assert directive["Namespace"] == "SomlengSWITCH"
            for metric in directive["Metrics"]:
                for names in directive["Dimensions"]:
                    yield Emitted(metric["Name"], frozenset((name, str(told[name])) for name in names))
