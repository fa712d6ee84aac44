"""`make demo`: runs the control plane on this machine and shows real events change real tables."""

import argparse
import shlex
import signal
import sys
import time
from typing import NoReturn

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from local.errors import LocalError
from local.run_directory import RunDirectory
from local.scenario import Scenario
from local.steps import Waiting, show
from local.system import LocalSystem

_WAIT_SECONDS = 45.0
_INTERRUPTED = 130  # 128 and the number of SIGINT, as shells have it


def main() -> int:
    """Run the demo; return 0 when every step came to what it should."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave everything running, and say how to poke at it")
    parser.add_argument(
        "--within", type=float, default=_WAIT_SECONDS, metavar="SECONDS", help="how long a step may wait for its effect"
    )
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    began = time.monotonic()
    system = LocalSystem(RunDirectory.create())
    keep = False
    try:
        show(Scenario(system, Waiting(arguments.within)).steps(), console)
        console.print(f"\n[bold green]All steps passed[/] in {time.monotonic() - began:.0f} seconds.")
        keep = bool(arguments.keep)
    except KeyboardInterrupt:
        console.print("\nInterrupted.")
        return _INTERRUPTED
    except (LocalError, ClientError, BotoCoreError) as error:
        console.print(f"\n[bold red]{type(error).__name__}:[/] ", end="")
        console.print(str(error), markup=False)
        _show_logs(system, console)
        return 1
    finally:
        _leave(system, console) if keep else _clear_up(system)
    return 0


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _clear_up(system: LocalSystem) -> None:
    # A second Ctrl-C must not leave half of it behind.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    system.stop()
    system.run.end()


def _show_logs(system: LocalSystem, console: Console) -> None:
    """Show what the functions logged last; a step that failed often has its reason there."""
    try:
        names = [system.outputs[name] for name in ("ServicesFunction", "S3MpegFunction")]
        logs = {name: system.log_of(name) for name in names}
    except (LocalError, ClientError, BotoCoreError):
        return  # nothing is deployed yet, or the emulator is what failed
    for name, lines in logs.items():
        console.print(f"\nThe end of the log of {name}:")
        for line in lines:
            console.print(f"  {line}", markup=False)


def _leave(system: LocalSystem, console: Console) -> None:
    system.run.leave_running()
    function, queue = system.outputs["ServicesFunction"], system.outputs["QueueUrl"]
    exports = " ".join(f"{name}={shlex.quote(value)}" for name, value in sorted(system.environment.items()))
    invoke = f"aws lambda invoke --function-name {function} --cli-binary-format raw-in-base64-out"
    permission = shlex.quote('{"job_class": "CreateOpenSIPSPermissionJob", "job_args": ["10.1.2.3", {"group_id": 1}]}')
    domain = shlex.quote('{"serviceAction": "CreateDomain", "parameters": {"domain": "sip.example.org"}}')
    console.print("\nEverything goes on running. Any AWS client of this shell talks to it after\n")
    for text in (
        f"export {exports}",
        "",
        "# what the platform was told",
        f"curl {system.platform_url}/capacities",
        "# the AWS command-line tool, if it is installed",
        f"aws sqs send-message --queue-url {queue} --message-body {permission}",
        f"{invoke} --payload {domain} /dev/stdout",
        f"aws s3 cp a.wav s3://{system.bucket}/a.wav",
        *(f"aws dynamodb scan --table-name {name}  # {table.value}" for table, name in system.table_names.names),
        "",
        f"# logs are in {system.run.path}; to end it:",
        "make stop",
    ):
        console.print(f"  {text}" if text else "", markup=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
