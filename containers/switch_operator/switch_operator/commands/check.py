"""`check`: everything that an operator looks at first."""

import argparse
from typing import Any

from switch_operator import checks
from switch_operator.checks import State
from switch_operator.context import Context
from switch_operator.output import counted

_STYLES = {State.OK: "", State.UNKNOWN: "yellow", State.WRONG: "bold red"}


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe the command."""
    command = commands.add_parser(
        "check", parents=[common], help="look at everything that is looked at first; status 1 when something is wrong"
    )
    command.set_defaults(run=_run)


def _run(context: Context, _: argparse.Namespace) -> int:
    findings = checks.run(context)
    wrong = sum(finding.state is State.WRONG for finding in findings)
    context.output.document(
        {
            "well": not wrong,
            "findings": [
                {"what": each.what, "state": each.state.value, "seen": each.seen, "advice": each.advice or None}
                for each in findings
            ],
        }
    )
    context.output.table(
        ["", "state", "seen", "what to do"],
        [(each.what, each.state.value, each.seen, each.advice) for each in findings],
        [_STYLES[each.state] for each in findings],
    )
    context.output.line("well" if not wrong else f"{counted(wrong, 'thing')} wrong")
    return 1 if wrong else 0
