"""What an operator looks at first, each by itself: what cannot be looked at is a finding, too."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from routing import JOURNALED_TABLES, RoutingError, Table
from switch_operator import gateways as gateway_readings
from switch_operator import journal_lag, task_rows
from switch_operator.context import Context
from switch_operator.deployment import Place
from switch_operator.errors import OperatorError
from switch_operator.function_log import FunctionLog
from switch_operator.output import counted
from switch_operator.queue_messages import MessageQueue
from switch_operator.times import ago, moment

TASK_TABLES: Final = (Table.LOAD_BALANCER_TARGETS, Table.MEDIA_PROXIES, Table.DOMAINS)

_RECONCILE_SECONDS: Final = 20 * 60
"""The schedule is of minutes (`reconcileIntervalMinutes`, 5 by default): so long without one is too long."""

_LOG_SECONDS: Final = 3 * 3600
_TOMBSTONES_MAXIMUM: Final = 500
_EXPIRY_SECONDS: Final = 2 * 24 * 3600
"""DynamoDB removes what has expired within a few days: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html."""


class State(Enum):
    """How it is."""

    OK = "ok"
    UNKNOWN = "unknown"
    """It could not be looked at, and that by itself is nothing wrong."""
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen of one thing, and what to do."""

    what: str
    state: State
    seen: str
    advice: str = ""


Check = Callable[[Context], list[Finding]]


def tables(context: Context) -> list[Finding]:
    """Every table can be read, and gateways understand every row."""
    seen, skipped = [], []
    for table in JOURNALED_TABLES:
        if table is Table.SUBSCRIBERS:
            seen.append(f"{table.value} {len(context.reader.keys(table))}")  # not their digests
            continue
        snapshot = context.reader.snapshot(table)
        seen.append(f"{table.value} {len(snapshot.records)}")
        skipped += [f"{table.value} {row.key}: {row.reason}" for row in snapshot.rejected]
    context.registrations.contacts("nobody")
    if skipped:
        return [Finding("tables", State.WRONG, "; ".join(skipped), "mend these rows: gateways skip them")]
    return [Finding("tables", State.OK, ", ".join(seen))]


def journal(context: Context) -> list[Finding]:
    """The journal has its newest entries: a table that was restored by hand has none."""
    heads = context.reader.positions()
    entries = [
        entry
        for table in JOURNALED_TABLES
        for entry in context.reader.entries(table, heads[table] - 1, heads[table] + 1)
        if entry.seq > heads[table]
    ]
    if entries:
        return [
            Finding(
                "journal", State.WRONG, f"entries after the head: {entries[0].key}", "the head was put back by hand"
            )
        ]
    return [Finding("journal", State.OK, ", ".join(f"{table.value} at {heads[table]}" for table in JOURNALED_TABLES))]


def gateways(context: Context) -> list[Finding]:
    """Every gateway keeps up with the journal."""
    readings = gateway_readings.read(lambda: context.clients.cloudwatch, context.health_urls, context.clock())
    if not readings:
        said = "none told CloudWatch anything in the last 15 minutes"
        return [Finding("gateways", State.UNKNOWN, said, "if there are any: 'journal --health' on a gateway's machine")]
    lags = journal_lag.lags(context.reader, context.reader.positions(), readings)
    found = []
    for reading, of_it in zip(readings, lags, strict=True):
        wrong = journal_lag.trouble(reading, of_it)
        state = State.OK if wrong is None else State.WRONG
        advice = "" if wrong is None else "runbook: a gateway serves stale data"
        found.append(Finding(f"gateway {reading.gateway}", state, wrong or "keeps up", advice))
    return found


def queues(context: Context) -> list[Finding]:
    """Nothing waits for a person."""
    found = []
    for place, what, advice in (
        (Place.DEAD_LETTERS, "dead letters", "dead-letters list"),
        (Place.SERVICES_FAILURES, "failures of services", "failures list services"),
        (Place.S3_MPEG_FAILURES, "failures of s3-mpeg", "failures list s3-mpeg"),
    ):
        counts = MessageQueue(context.clients.sqs, context.deployment.name(place)).counts()
        total = counts.waiting + counts.hidden
        found.append(
            Finding(what, State.WRONG if total else State.OK, counted(total, "message"), advice if total else "")
        )
    jobs = MessageQueue(context.clients.sqs, context.deployment.name(Place.QUEUE)).counts()
    found.append(Finding("jobs", State.OK, f"{jobs.waiting} wait, {jobs.hidden} in work"))
    return found


def reconcile(context: Context) -> list[Finding]:
    """The last reconcile is not long ago and went well."""
    arn, now = context.deployment.name(Place.SERVICES_FUNCTION), context.clock()
    log = FunctionLog(context.clients.logs, context.clients.functions, arn)
    done = log.lines("reconciled", now - _LOG_SECONDS)
    failed = log.lines("region not reconciled", now - _LOG_SECONDS)
    last_done = done[-1].at if done else 0.0
    if failed and failed[-1].at > last_done:
        region, at = failed[-1].keys.get("region"), failed[-1].at
        said = f"{region} could not be reconciled, {ago(now - at)}"
        return [Finding("reconcile", State.WRONG, said, "its log says why: 'region not reconciled'")]
    if now - last_done > _RECONCILE_SECONDS:
        said = f"the last was {ago(now - last_done)}" if done else f"none in the last {_LOG_SECONDS // 3600} hours"
        return [Finding("reconcile", State.WRONG, said, "is the schedule on? 'reconcile' does one now")]
    healed = done[-1].keys.get("rows_healed")
    return [
        Finding(
            "reconcile",
            State.OK,
            f"{moment(last_done)}, {ago(now - last_done)}: {counted(int(healed or 0), 'row')} healed",
        )
    ]


def tombstones(context: Context) -> list[Finding]:
    """Tombstones go when they have expired."""
    now, seen, wrong = context.clock(), [], False
    for table in TASK_TABLES:
        rows = task_rows.read(context.reader, context.repository, table, tombstones=True).rows
        gone = [row for row in rows if row.removed]
        late = [row for row in gone if row.expires is not None and row.expires < now - _EXPIRY_SECONDS]
        wrong = wrong or bool(late) or len(gone) > _TOMBSTONES_MAXIMUM
        seen.append(f"{len(gone)} in {table.value}" + (f", {len(late)} that should have gone" if late else ""))
    advice = "have the tables their time to live on 'expires'? do tasks restart again and again?" if wrong else ""
    return [Finding("tombstones", State.WRONG if wrong else State.OK, "; ".join(seen), advice)]


def tasks(context: Context) -> list[Finding]:
    """Every row that a task made has that task running."""
    rows = [
        (table, row)
        for table in TASK_TABLES
        for row in task_rows.read(context.reader, context.repository, table, tombstones=False).rows
        if row.task is not None
    ]
    phases = task_rows.phases(context.container_service, [row.task.arn for _, row in rows if row.task])
    stated = [(table, row, phases[row.task.arn]) for table, row in rows if row.task]
    gone = [f"{table.value} {row.key}: {phase}" for table, row, phase in stated if task_rows.is_gone(phase)]
    unknown = sorted({phase for _, _, phase in stated if phase.startswith("cannot be asked for")})
    found = []
    if gone:
        found.append(Finding("rows without a task", State.WRONG, "; ".join(gone), "reconcile"))
    if unknown:
        found.append(Finding("tasks", State.WRONG, "; ".join(unknown), "may this operator ask ECS in every region?"))
    return found or [
        Finding("tasks", State.OK, f"{counted(len(rows), 'row')} of {counted(len(phases), 'task')} that run")
    ]


CHECKS: Final[Sequence[tuple[str, Check]]] = (
    ("tables", tables),
    ("journal", journal),
    ("gateways", gateways),
    ("queues", queues),
    ("reconcile", reconcile),
    ("tombstones", tombstones),
    ("tasks", tasks),
)


def run(context: Context) -> list[Finding]:
    """Look at everything."""
    found: list[Finding] = []
    for what, check in CHECKS:
        try:
            found += check(context)
        except (OperatorError, RoutingError, ClientError, BotoCoreError, TimeoutError) as error:
            found.append(Finding(what, State.WRONG, f"cannot be looked at: {error}"))
    return found
