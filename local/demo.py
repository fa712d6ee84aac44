"""`make demo`: runs the system on this machine, shows real events change real tables, and places calls through it."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import NoReturn

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.text import Text

from local import poking
from local.errors import LocalError
from local.log_lines import LogLines
from local.loopback import LoopbackHosts
from local.options import Options, parse
from local.run_directory import HOME, RunDirectory
from local.scenario import Scenario
from local.steps import Waiting, show
from local.system import LocalSystem
from local.voice.programs import Program, missing
from local.voice.scenario import softphone_steps, voice_steps
from local.voice.softphone import Softphone, kept_password
from local.voice.system import VoiceSystem

_INTERRUPTED = 130  # 128 and the number of SIGINT, as shells have it


def main() -> int:
    """Run the demo; return 0 when every step came to what it should."""
    options = parse(__doc__, sys.argv[1:], os.environ)
    signal.signal(signal.SIGTERM, _interrupt)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    run = RunDirectory.create()
    system = None
    try:
        system = LocalSystem(run, LoopbackHosts(options.network), _reporter(console), options.ports, options.live_port)
        return _show(system, options, console)
    except KeyboardInterrupt:
        console.print("\nInterrupted.")
        return _INTERRUPTED
    except (LocalError, ClientError, BotoCoreError) as error:
        console.print(f"\n[bold red]{type(error).__name__}:[/] ", end="")
        console.print(str(error), markup=False)
        if system is not None:
            _show_logs(system, console)
        return 1
    finally:
        _clear_up(run, system)


def _show(system: LocalSystem, options: Options, console: Console) -> int:
    began = time.monotonic()
    waiting = Waiting(options.within)
    lacking = [] if options.control_plane_only else missing(os.environ)
    softphone = Softphone(kept_password(HOME), options.phone_address) if options.softphone else None
    voice = None if lacking or options.control_plane_only else VoiceSystem(system, options.twiml, softphone)
    if softphone is not None and lacking:
        needs = "".join(f"\n  {program.name}: {program.how}" for program in lacking)
        raise LocalError(f"a softphone needs calls, and this machine lacks:{needs}")
    if softphone is None:
        _say_what_is_left_out(options, lacking, voice, console)
    with ExitStack() as stack:
        if options.logs:
            stack.enter_context(_log_lines(system.run, console))
        scenario = Scenario(system, waiting)
        steps = scenario.first_steps() if options.calls_only or softphone else scenario.steps()
        if voice is not None:
            give = voice_steps if softphone is None else softphone_steps
            steps += stack.enter_context(give(system, voice, waiting))
        show(steps, console)
        console.print(f"\n[bold green]All steps passed[/] in {time.monotonic() - began:.0f} seconds.")
        if voice is not None and voice.softphone is not None:
            system.run.keep()
            poking.show_softphone(system, voice, voice.softphone, console)
            threading.Event().wait()
        _say_what_is_left_out(options, lacking, voice, console)
        if options.keep:
            system.run.keep()
            poking.show(system, voice, console)
            if not options.logs:
                stack.enter_context(_log_lines(system.run, console, from_start=False))
            threading.Event().wait()
    return 0


def _say_what_is_left_out(
    options: Options, lacking: list[Program], voice: VoiceSystem | None, console: Console
) -> None:
    """Say it before the steps, for who waits for them, and after them."""
    if options.control_plane_only:
        console.print("Left out: calls, as was asked for.")
    elif lacking:
        console.print("Left out: calls through the whole system. What they need and this machine lacks:")
        for program in lacking:
            console.print(f"  {program.name}: {program.how}", markup=False, soft_wrap=True)
    elif voice is not None and voice.without_nat:
        console.print(f"Left out: the router before the client. The reason: {voice.without_nat}", markup=False)


def _reporter(console: Console) -> Callable[[str], None]:
    def report(text: str) -> None:
        console.print(Text(text, style="yellow"))

    return report


def _log_lines(run: RunDirectory, console: Console, *, from_start: bool = True) -> LogLines:
    def line(name: str, style: str, text: str) -> None:
        console.print(Text.assemble((f"{name} | ", style), text), soft_wrap=True)

    return LogLines(run.path, line, from_start=from_start)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _clear_up(run: RunDirectory, system: LocalSystem | None) -> None:
    # A second Ctrl-C must not leave half of it behind.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    if system is not None:
        system.stop()
    run.end()


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


if __name__ == "__main__":
    sys.exit(main())
