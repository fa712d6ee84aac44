"""`make soak`: minutes of mixed load on the whole system, disturbed by a seeded schedule; prints the ledger.

It exits with 1 when something does not balance, and names it.
"""

import os
import signal
import sys
from typing import NoReturn

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.text import Text

from local.errors import LocalError
from local.loopback import LoopbackHosts
from local.run_directory import RunDirectory
from local.soak import report, schedule
from local.soak.options import SoakOptions, parse
from local.soak.soak import Result, soak
from local.steps import Step, Waiting, show
from local.system import LocalSystem
from local.voice.loop import LoopThread
from local.voice.programs import missing
from local.voice.steps.stage import Stage
from local.voice.steps.start import FIRST_SWITCH, StartSteps
from local.voice.system import VoiceSystem

_INTERRUPTED = 130
_WITHIN_SECONDS = 60.0
_AFTERWARDS_SECONDS = 900.0
"""That everything may take beyond the calls, checks included; far more than it does."""


def main() -> int:
    """Run a soak; return 0 when everything balances."""
    options = parse(__doc__, sys.argv[1:])
    signal.signal(signal.SIGTERM, _interrupt)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    lacking = missing(os.environ)
    if lacking:
        console.print("A soak places calls. What they need and this machine lacks:")
        for program in lacking:
            console.print(f"  {program.name}: {program.how}", markup=False, soft_wrap=True)
        return 1
    run = RunDirectory.create()
    system, result = None, None
    try:
        system = LocalSystem(run, LoopbackHosts(options.network), lambda text: _first_line(text, console))
        result = _soak(system, options, console)
    except KeyboardInterrupt:
        console.print("\nInterrupted.")
        return _INTERRUPTED
    except (LocalError, ClientError, BotoCoreError, TimeoutError) as error:
        console.print(f"{type(error).__name__}: {error}", markup=False)
        return 1
    finally:
        kept = report.keep(result, run.path)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        if system is not None:
            system.stop()
        run.end()
        if result is None:
            console.print(f"Logs are kept in {kept}", markup=False)
        else:
            report.show(result, kept, console)
    return 1 if result.findings else 0


def _soak(system: LocalSystem, options: SoakOptions, console: Console) -> Result:
    drawn = schedule.draw(options.seed, options.seconds, FIRST_SWITCH)
    console.print(f"Seed {options.seed}: {options.rate:g} calls a second for {options.seconds:.0f} s, and")
    for disturbance in drawn:
        console.print(f"  {disturbance}", markup=False)
    voice = VoiceSystem(system)
    if voice.without_nat:
        console.print(f"No client is behind a router. The reason: {voice.without_nat}", markup=False)
    with LoopThread() as loop:
        stage = Stage(system, voice, loop, Waiting(_WITHIN_SECONDS))
        show([Step("Emulators and stacks", lambda: _deploy(system)), *StartSteps(stage).steps()], console)
        running = soak(stage, options, drawn, lambda text: console.print(text, markup=False, soft_wrap=True))
        return loop.run(running, options.seconds + _AFTERWARDS_SECONDS)


def _deploy(system: LocalSystem) -> str:
    system.start()
    system.deploy()
    system.home_cluster.add_instance()
    return "deployed"


def _first_line(text: str, console: Console) -> None:
    """Say that a process ended, and leave the end of its log to its log."""
    console.print(Text(f"         {text.partition(';')[0]}", style="yellow"))


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
