"""How far the gateways are behind the change journal.

Each gateway's scheduler knows it, and tells it on its own machine (`GET http://127.0.0.1:8081/health`), and CloudWatch
once a minute. What it counts as its lag is of its last look at the journal: one that cannot reach AWS still says 0. So
its position is compared with the journal's head here.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from routing import JOURNALED_TABLES, Table

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

NAMESPACE: Final = "SomlengSWITCH"
_MINUTES: Final = 15
_PERIOD_SECONDS: Final = 60
_HEALTH_SECONDS: Final = 5
_QUERIES_MAXIMUM: Final = 500


@dataclass(frozen=True, slots=True)
class Reading:
    """What a gateway said of itself.

    Attributes:
        gateway: its kind and name, or the URL that was asked.
        asked: where it was asked.
        at: when it said so, seconds since the epoch.
        positions: how far the journal of each table is applied.
        data_age: seconds since its data was known to be right; None when it never was.
        stale: whether it says that its data is stale.
        problem: why nothing is known; None when it answered.

    """

    gateway: str
    asked: str
    at: float
    positions: Mapping[Table, int]
    data_age: float | None
    stale: bool
    problem: str | None = None


def read(cloudwatch: "Callable[[], CloudWatchClient]", urls: Sequence[str], now: float) -> list[Reading]:
    """Ask the schedulers at some URLs; CloudWatch, where there is none."""
    return [by_health(url, now) for url in urls] if urls else by_metrics(cloudwatch(), now)


def by_health(url: str, now: float) -> Reading:
    """Ask a scheduler itself."""
    if not url.startswith(("http://", "https://")):
        return _unknown(url, now, "it is no URL of HTTP")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_HEALTH_SECONDS) as answer:
            report = json.load(answer)
    except urllib.error.HTTPError as error:
        try:
            report = json.load(error)  # 503 while OpenSIPS must not start: it has a report all the same
        except ValueError:
            return _unknown(url, now, f"it answered {error.code}")
    except (OSError, ValueError) as error:
        return _unknown(url, now, str(error))
    if not isinstance(report, dict) or "positions" not in report:
        return _unknown(url, now, "it is no scheduler's health, or one of an older version")
    positions = {table: int(report["positions"][table.value]) for table in _tables(report["positions"])}
    return Reading(url, url, now, positions, report["age_seconds"], bool(report["stale"]))


def by_metrics(cloudwatch: "CloudWatchClient", now: float) -> list[Reading]:
    """Read what the gateways told CloudWatch lately, those of every deployment of the account and region."""
    positions = _metrics(cloudwatch, "JournalPosition")
    ages = {_gateway(each): each for each in _metrics(cloudwatch, "DataAge")}
    stale = {_gateway(each): each for each in _metrics(cloudwatch, "DataStale")}
    wanted = [*positions, *ages.values(), *stale.values()]
    latest = dict(zip(map(_key, wanted), _latest(cloudwatch, wanted, now), strict=True))
    readings = []
    for gateway in sorted(stale.keys() | ages.keys()):
        told = {each["Dimensions"]["table"]: latest[_key(each)] for each in positions if _gateway(each) == gateway}
        found = {table: told[table.value] for table in _tables(told)}
        moments = [at for point in found.values() if point is not None for at in (point[0],)]
        is_stale = latest[_key(stale[gateway])] if gateway in stale else None
        age = latest[_key(ages[gateway])] if gateway in ages else None
        if is_stale is None and not moments:
            continue  # it told nothing lately: it is gone
        readings.append(
            Reading(
                gateway,
                "CloudWatch",
                min(moments) if moments else now,
                {table: int(point[1]) for table, point in found.items() if point is not None},
                None if age is None else age[1],
                is_stale is not None and is_stale[1] > 0,
            )
        )
    return readings


def _unknown(url: str, now: float, problem: str) -> Reading:
    return Reading(url, url, now, {}, None, stale=True, problem=problem)


def _tables(named: Mapping[str, Any]) -> list[Table]:
    return [table for table in JOURNALED_TABLES if table.value in named]


def _metrics(cloudwatch: "CloudWatchClient", name: str) -> list[dict[str, Any]]:
    pages = cloudwatch.get_paginator("list_metrics").paginate(
        Namespace=NAMESPACE, MetricName=name, RecentlyActive="PT3H"
    )
    listed = [
        {"MetricName": name, "Dimensions": {each["Name"]: each["Value"] for each in metric["Dimensions"]}}
        for page in pages
        for metric in page["Metrics"]
    ]
    return [metric for metric in listed if {"gateway_kind", "gateway_name"} <= set(metric["Dimensions"])]


def _gateway(metric: dict[str, Any]) -> str:
    return f"{metric['Dimensions']['gateway_kind']} {metric['Dimensions']['gateway_name']}"


def _key(metric: dict[str, Any]) -> tuple[str, ...]:
    return (metric["MetricName"], *(f"{name}={value}" for name, value in sorted(metric["Dimensions"].items())))


def _latest(
    cloudwatch: "CloudWatchClient", metrics: list[dict[str, Any]], now: float
) -> list[tuple[float, float] | None]:
    """Return the newest value of each metric with its time; None where there is none of the last minutes."""
    found: dict[str, tuple[float, float]] = {}
    for start in range(0, len(metrics), _QUERIES_MAXIMUM):
        queries: Any = [
            {
                "Id": f"m{start + number}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": NAMESPACE,
                        "MetricName": metric["MetricName"],
                        "Dimensions": [{"Name": n, "Value": v} for n, v in metric["Dimensions"].items()],
                    },
                    "Period": _PERIOD_SECONDS,
                    "Stat": "Maximum",
                },
            }
            for number, metric in enumerate(metrics[start : start + _QUERIES_MAXIMUM])
        ]
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries,
            StartTime=datetime.fromtimestamp(now - _MINUTES * 60, UTC),
            EndTime=datetime.fromtimestamp(now + _PERIOD_SECONDS, UTC),
            ScanBy="TimestampDescending",
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                for at, value in zip(result["Timestamps"], result["Values"], strict=True):
                    point = (at.timestamp(), value)
                    found[result["Id"]] = max(found.get(result["Id"], point), point)
    return [found.get(f"m{number}") for number in range(len(metrics))]
