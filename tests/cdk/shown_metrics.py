"""Reads off dashboards and alarms which metrics they are made of."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.cdk.conftest import Template

OURS = "SomlengSWITCH"
_SEARCH = re.compile(r"SEARCH\('\{([^}]+)\} MetricName=\"(\w+)\" (\w+)=\"([^\"]+)\"', '(\w+)', (\d+)\)")


@dataclass(frozen=True)
class Shown:
    """A metric that something is made of: its name, its dimensions, and the values of those that are known."""

    namespace: str
    name: str
    names: frozenset[str]
    values: frozenset[tuple[str, str]]


def dashboards(template: Template) -> dict[str, list[dict[str, Any]]]:
    """Return the widgets of each dashboard, by its name."""
    return {
        each["DashboardName"]: json.loads(_text(each["DashboardBody"]))["widgets"]
        for each in template.properties("AWS::CloudWatch::Dashboard")
    }


def on_dashboards(template: Template) -> set[Shown]:
    """Return what the dashboards are made of."""
    return {
        shown
        for widgets in dashboards(template).values()
        for widget in widgets
        for line in widget["properties"].get("metrics", [])
        for shown in _of_line(line)
    }


def in_alarms(template: Template) -> set[Shown]:
    """Return what alarms are raised by."""
    found = set()
    for alarm in template.properties("AWS::CloudWatch::Alarm"):
        metrics = [each["MetricStat"]["Metric"] for each in alarm.get("Metrics", []) if "MetricStat" in each]
        for metric in metrics or [alarm]:
            values = {each["Name"]: _text(each["Value"]) for each in metric["Dimensions"]}
            found.add(_shown(metric["Namespace"], metric["MetricName"], values))
    return found


def _text(value: Any) -> str:
    """Return what is known of a value; what AWS fills in, in angle brackets."""
    if isinstance(value, str):
        return value
    ((function, argument),) = value.items()
    return "".join(map(_text, argument[1])) if function == "Fn::Join" else f"<{function}>"


def _of_line(line: list[Any]) -> Iterator[Shown]:
    if isinstance(line[0], str):
        namespace, name, *pairs = [part for part in line if isinstance(part, str)]
        yield _shown(namespace, name, dict(zip(pairs[::2], pairs[1::2], strict=True)))
    elif "SEARCH(" in line[0]["expression"]:
        match = _SEARCH.fullmatch(line[0]["expression"])
        assert match, line
        namespace, *names = match[1].split(",")
        yield Shown(namespace, match[2], frozenset(names), frozenset({(match[3], match[4])}))


def _shown(namespace: str, name: str, values: dict[str, str]) -> Shown:
    return Shown(namespace, name, frozenset(values), frozenset(values.items()))
