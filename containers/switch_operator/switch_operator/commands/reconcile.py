"""`reconcile`: has the tables compared with what ECS runs, now."""

import argparse
from typing import Any

from switch_operator.context import Context
from switch_operator.deployment import Place
from switch_operator.output import counted
from switch_operator.services_function import RECONCILE, invoke


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe the command."""
    command = commands.add_parser(
        "reconcile", parents=[common], help="have the tables compared with what ECS runs, and see what was healed"
    )
    command.set_defaults(run=_run)


def _run(context: Context, _: argparse.Namespace) -> int:
    answer = invoke(context.clients.functions, context.deployment.name(Place.SERVICES_FUNCTION), RECONCILE)
    # A function of a version before this one answers nothing.
    rows = answer["rows"] if isinstance(answer, dict) else None
    context.output.document({"rows_healed": answer["rows_healed"] if rows is not None else None, "rows": rows})
    if rows is None:
        context.output.line("reconciled; this function does not tell what it healed: see 'row healed' in its log")
        return 0
    if rows:
        context.output.table(
            ["table", "row healed", "region"], [(row["table"], row["key"], row["region"]) for row in rows]
        )
    context.output.line(f"reconciled: {counted(answer['rows_healed'], 'row')} healed")
    return 0
