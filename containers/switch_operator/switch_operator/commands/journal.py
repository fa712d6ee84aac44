"""`journal`: where the change journal is, and how far each gateway is behind it."""

import argparse
from collections.abc import Sequence
from typing import Any

from routing import JOURNALED_TABLES
from switch_operator import gateways, journal_lag
from switch_operator.context import Context
from switch_operator.gateways import Reading
from switch_operator.journal_lag import Lag, trouble
from switch_operator.times import ago, moment


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe the command."""
    command = commands.add_parser("journal", parents=[common], help="the change journal, and each gateway's lag")
    command.add_argument(
        "--health",
        action="append",
        default=[],
        metavar="URL",
        help="a scheduler's health, http://127.0.0.1:8081/health on its own machine; any number of them "
        "(GATEWAY_HEALTH_URLS, separated by spaces). Without any, CloudWatch is asked",
    )
    command.set_defaults(run=_run)


def _run(context: Context, given: argparse.Namespace) -> int:
    # The gateways first: what is written in between makes a lag larger than it is, and never smaller.
    readings = gateways.read(lambda: context.clients.cloudwatch, given.health or context.health_urls, context.clock())
    heads = context.reader.positions()
    last = {
        table: next(iter(context.reader.entries(table, heads[table], heads[table])), None) for table in JOURNALED_TABLES
    }
    lags = journal_lag.lags(context.reader, heads, readings)
    now, output = context.clock(), context.output
    output.document(
        {
            "tables": {
                table.value: {"head": heads[table], "last_change": entry.at if (entry := last[table]) else None}
                for table in JOURNALED_TABLES
            },
            "gateways": [_document(reading, of_it) for reading, of_it in zip(readings, lags, strict=True)],
        }
    )
    output.table(
        ["table", "head", "last change"],
        [
            (
                table.value,
                heads[table],
                f"{moment(entry.at)}, {ago(now - entry.at)}, {entry.key}"
                if (entry := last[table])
                else "not of the last 24 hours",
            )
            for table in JOURNALED_TABLES
        ],
    )
    output.line()
    output.table(
        ["gateway", "asked", "told", "table", "position", "changes behind", "state"],
        [row for reading, of_it in zip(readings, lags, strict=True) for row in _rows(reading, of_it, now)],
    )
    if not readings:
        output.line(
            "no gateway is known: none told CloudWatch anything in the last 15 minutes; on a gateway's own machine, or "
            "locally, give --health"
        )
    wrong = [reading for reading, of_it in zip(readings, lags, strict=True) if trouble(reading, of_it)]
    return 1 if wrong else 0


def _document(reading: Reading, lags: Sequence[Lag]) -> dict[str, Any]:
    return {
        "gateway": reading.gateway,
        "asked": reading.asked,
        "at": reading.at,
        "data_age_seconds": reading.data_age,
        "stale": reading.stale,
        "tables": {lag.table.value: {"position": lag.position, "changes_behind": lag.changes} for lag in lags},
        "trouble": trouble(reading, lags),
    }


def _rows(reading: Reading, lags: Sequence[Lag], now: float) -> list[tuple[object, ...]]:
    state = trouble(reading, lags) or "keeps up"
    told = ago(now - reading.at)
    if not lags:
        return [(reading.gateway, reading.asked, told, None, None, None, state)]
    return [(reading.gateway, reading.asked, told, lag.table.value, lag.position, lag.changes, state) for lag in lags]
