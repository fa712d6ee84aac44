"""`targets`, `media-proxies`, `domains`: the rows that ECS tasks make, listed and explained."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from routing import Table
from switch_operator import task_rows
from switch_operator.context import Context
from switch_operator.errors import NotDone
from switch_operator.output import counted
from switch_operator.task_arns import identifier_of
from switch_operator.task_rows import TaskRow, is_gone, phases
from switch_operator.times import ago, moment

_LOOK_BACK: Final = 500
"""Changes of the journal that are looked through for the last one of a row."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A table of such rows.

    Attributes:
        command: its name on the command line.
        table: the routing table.
        what: what a row is, for people.
        columns: the attributes that are shown, with their heads.

    """

    command: str
    table: Table
    what: str
    columns: tuple[tuple[str, str], ...]


KINDS: Final = (
    Kind(
        "targets",
        Table.LOAD_BALANCER_TARGETS,
        "where switches take calls",
        (
            ("target", "dst_uri"),
            ("group", "group_id"),
            ("resource", "resource"),
            ("event socket", "event_socket"),
            ("region", "region"),
        ),
    ),
    Kind(
        "media-proxies",
        Table.MEDIA_PROXIES,
        "where rtpengine is told what to do",
        (("socket", "socket"), ("set", "set_id")),
    ),
    Kind("domains", Table.DOMAINS, "what the client gateways answer for", (("domain", "domain"),)),
)


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    for kind in KINDS:
        group = commands.add_parser(kind.command, help=f"list and explain {kind.what}")
        actions = group.add_subparsers(title="actions", required=True, metavar="ACTION")
        listed = actions.add_parser("list", parents=[common], help="every row, with the task that made it")
        listed.add_argument("--all", action="store_true", help="tombstones, too: rows of tasks that ended")
        listed.set_defaults(run=_run(_list, kind))
        explained = actions.add_parser(
            "explain", parents=[common], help="one row: its task, what ECS says, its last change"
        )
        explained.add_argument("key", metavar=kind.table.key.upper(), help=f"its {kind.table.key}")
        explained.set_defaults(run=_run(_explain, kind))


def _run(
    action: Callable[[Context, argparse.Namespace, Kind], int], kind: Kind
) -> Callable[[Context, argparse.Namespace], int]:
    return lambda context, given: action(context, given, kind)


def _list(context: Context, given: argparse.Namespace, kind: Kind) -> int:
    found = task_rows.read(context.reader, context.repository, kind.table, tombstones=given.all)
    output, now = context.output, context.clock()
    output.document(
        {
            kind.table.value: [row.document(kind.table) for row in found.rows],
            "skipped_by_gateways": [{"key": each.key, "reason": each.reason} for each in found.rejected],
        }
    )
    heads = [head for head, _ in kind.columns]
    cells = [[*_cells(kind, row), *_task_cells(row), _state(row, now)] for row in found.rows]
    output.table(
        [*heads, "task", "version", "since", "state"], cells, ["dim" if row.removed else "" for row in found.rows]
    )
    live = sum(not row.removed for row in found.rows)
    gone = f", {counted(len(found.rows) - live, 'tombstone')}" if given.all else ""
    output.line(f"{counted(live, 'row')}{gone}")
    for row in found.rejected:
        output.line(f"skipped by gateways: {row.key}: {row.reason}", style="yellow")
    return 0


def _cells(kind: Kind, row: TaskRow) -> list[object]:
    document = {kind.table.key: row.key, **row.attributes}
    return [document.get(attribute) for _, attribute in kind.columns]


def _task_cells(row: TaskRow) -> list[object]:
    if row.task is None:
        return ["permanent", None, None]
    started = None if row.task.started_at is None else moment(row.task.started_at / 1000)
    return [identifier_of(row.task.arn), row.task.version, started]


def _state(row: TaskRow, now: float) -> str:
    if not row.removed:
        return "live"
    return "removed" if row.expires is None or row.expires > now else f"removed, expired {ago(now - row.expires)}"


def _explain(context: Context, given: argparse.Namespace, kind: Kind) -> int:
    row = task_rows.of_stored(kind.table, context.repository.stored(kind.table, given.key))
    if row is None:
        raise NotDone(f"{kind.table.value} has no row {given.key!r}; '{kind.command} list --all' shows what there is")
    ecs = None if row.task is None else phases(context.container_service, [row.task.arn])[row.task.arn]
    last = _last_change(context, kind.table, row.key)
    verdict = _verdict(row, ecs)
    output, now = context.output, context.clock()
    output.document(
        {
            "row": row.document(kind.table),
            "ecs": ecs,
            "last_change": None
            if last is None
            else {"seq": last.seq, "operation": last.operation.value, "at": last.at},
            "verdict": verdict,
        }
    )
    output.line(row.key, style="bold")
    facts: list[tuple[str, object]] = list(row.attributes.items())
    if row.task is not None:
        facts += [("task", row.task.arn), ("since version", row.task.version)]
        facts.append(("task began", moment(row.task.started_at / 1000) if row.task.started_at else None))
        facts.append(("ECS says", ecs))
    else:
        facts.append(("task", "none: it is permanent"))
    if row.removed:
        facts.append(("tombstone until", moment(row.expires)))
    facts.append(
        (
            "last change",
            f"number {last.seq}, {last.operation.value}, {moment(last.at)}, {ago(now - last.at)}"
            if last
            else f"none among the last {_LOOK_BACK} of its table within 24 hours",
        )
    )
    output.table(["", ""], facts)
    output.line(verdict)
    return 0


def _last_change(context: Context, table: Table, key: str) -> Any:
    head = context.reader.position(table)
    entries = context.reader.entries(table, head - _LOOK_BACK + 1, head)
    return next((entry for entry in reversed(entries) if entry.key == key), None)


def _verdict(row: TaskRow, ecs: str | None) -> str:
    if row.removed:
        return "Gateways do not see it: it remembers that its task ended, so that a late event does not bring it back."
    if row.task is None:
        return "Gateways have it. No task's end removes it."
    if ecs is not None and is_gone(ecs):
        return "Gateways have it, and its task takes no calls any more: run 'reconcile'."
    return "Gateways have it."
