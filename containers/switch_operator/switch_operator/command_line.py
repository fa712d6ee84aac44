"""The command line: what can be asked, and how it ends.

Exit status: 0 when it was done and nothing is wrong; 1 when something is wrong, was refused, or AWS did not do it; 2
when the command itself is wrong.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TextIO

from botocore.exceptions import BotoCoreError, ClientError

from routing import InvalidRecord, RoutingError
from switch_operator import deployment
from switch_operator.aws_clients import AwsClients
from switch_operator.commands import (
    check,
    dead_letters,
    failures,
    journal,
    permissions,
    reconcile,
    registrations,
    subscribers,
    task_tables,
)
from switch_operator.confirmation import Terminal
from switch_operator.context import Context
from switch_operator.errors import OperatorError, WrongUse
from switch_operator.output import Output, printable

DONE: Final = 0
WRONG: Final = 1
USED_WRONGLY: Final = 2
_INTERRUPTED: Final = 130  # 128 and the number of SIGINT, as shells have it

_COMMANDS: Final = (
    check,
    task_tables,
    permissions,
    subscribers,
    registrations,
    journal,
    dead_letters,
    failures,
    reconcile,
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    whole = argparse.ArgumentParser(
        prog="switch_operator",
        description="Looks at the control plane of a SomlengSWITCH deployment, and changes it safely.",
        epilog="Exit status: 0 done, nothing wrong; 1 something is wrong, or was refused; 2 the command is wrong.",
    )
    _add_common(whole, default=None)
    common = argparse.ArgumentParser(add_help=False)
    _add_common(common, default=argparse.SUPPRESS)
    commands = whole.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_to(commands, common)
    return whole


def _add_common(to: argparse.ArgumentParser, default: str | None) -> None:
    """Add what is taken before the command and after it; after it, what is not given must not undo what was."""
    to.add_argument(
        "--environment",
        default=default,
        metavar="NAME",
        help="the deployment, as its stacks published it: staging, production, local "
        "(SOMLENG_SWITCH_ENVIRONMENT); without it, environment variables name its parts",
    )
    to.add_argument("--region", default=default, help="the deployment's home region (AWS_DEFAULT_REGION)")
    to.add_argument(
        "--json",
        action="store_true",
        default=False if default is None else default,
        help="one JSON document instead of tables",
    )


def main(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdin: TextIO | None = None,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
    clock: Callable[[], float] = time.time,
) -> int:
    """Run a command; return the exit status.

    Args:
        arguments: without the program's name.
        environment: the variables that name a deployment or its parts.
        stdin, stdout, stderr: this process's, unless others are given.
        clock: seconds since the epoch.

    """
    out, errors = stdout or sys.stdout, stderr or sys.stderr
    try:
        given = parser().parse_args(arguments)
    except SystemExit as ended:  # argparse has said why, or printed its help
        return ended.code if isinstance(ended.code, int) else USED_WRONGLY
    try:
        return int(given.run(_context(given, environment, stdin or sys.stdin, out, errors, clock), given))
    except (WrongUse, InvalidRecord) as error:
        return _fail(errors, str(error), USED_WRONGLY)
    except (OperatorError, RoutingError) as error:
        return _fail(errors, str(error), WRONG)
    except ClientError as error:
        return _fail(errors, _refusal(error), WRONG)
    except (BotoCoreError, TimeoutError) as error:
        return _fail(errors, f"AWS cannot be asked: {error}", WRONG)
    except KeyboardInterrupt:
        return _fail(errors, "interrupted", _INTERRUPTED)


def _context(
    given: argparse.Namespace,
    environment: Mapping[str, str],
    stdin: TextIO,
    stdout: TextIO,
    stderr: TextIO,
    clock: Callable[[], float],
) -> Context:
    clients = AwsClients(given.region)
    name = given.environment or environment.get("SOMLENG_SWITCH_ENVIRONMENT")

    def find() -> deployment.Deployment:
        if name:
            return deployment.from_parameters(lambda: clients.ssm, name)
        return deployment.from_environment(environment)

    return Context(
        find,
        clients,
        Output(stdout, as_json=given.json),
        Terminal(stdin, stderr),
        clock,
        tuple(environment.get("GATEWAY_HEALTH_URLS", "").split()),
    )


def _refusal(error: ClientError) -> str:
    details = error.response["Error"]
    code, said = details.get("Code", "?"), details.get("Message", "")
    if "AccessDenied" in code or code in ("UnauthorizedOperation", "AuthorizationError"):
        return (
            f"not permitted: {error.operation_name}: {said}; whoever runs this needs the policy OperatorReadPolicy, or "
            "to change something OperatorWritePolicy, of the services stack"
        )
    return f"AWS refused {error.operation_name}: {code}: {said}"


def _fail(errors: TextIO, what: str, status: int) -> int:
    errors.write(f"switch_operator: {printable(what)}\n")
    return status
