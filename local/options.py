"""What `make demo` may be told: on the command line, or by the environment."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_WAIT_SECONDS = 45.0


@dataclass(frozen=True, slots=True)
class Options:
    """What a demo does.

    Attributes:
        keep: whether it goes on after the steps, until it is told to end.
        logs: whether what the processes log is shown meanwhile; it always is once the steps are done and it goes on.
        within: seconds that a step may wait for an effect.
        network: of the programs' addresses; None for one drawn at random.
        ports: of the AWS emulator, the ECS emulator and the platform; None for a port that is free.
        live_port: of the live page; None for a port that is free.
        twiml: a directory with documents of one's own.
        control_plane_only: whether calls are left out, whatever is on this machine.
        calls_only: whether of the control plane only what calls need is shown.

    """

    keep: bool
    logs: bool
    within: float
    network: str | None
    ports: tuple[int | None, int | None, int | None]
    live_port: int | None
    twiml: Path | None
    control_plane_only: bool
    calls_only: bool


def parse(description: str | None, arguments: Sequence[str], environment: Mapping[str, str]) -> Options:
    """Read the options; an argument counts more than a variable."""
    parser = argparse.ArgumentParser(prog="make demo", description=description)
    parser.add_argument(
        "--keep", action="store_true", help="go on after the steps, show the logs, and say how to poke at it"
    )
    parser.add_argument("--logs", action="store_true", help="show what the processes log, from the beginning")
    parser.add_argument(
        "--within", type=float, default=_WAIT_SECONDS, metavar="SECONDS", help="how long a step may wait for its effect"
    )
    parser.add_argument(
        "--network",
        default=environment.get("DEMO_NETWORK"),
        help="of the programs: 127.20.4.0/22 (DEMO_NETWORK)",
    )
    ports = (
        ("aws", "the AWS emulator"),
        ("ecs", "the ECS emulator"),
        ("platform", "the call platform"),
        ("live", "the live page"),
    )
    for name, what in ports:
        variable = f"DEMO_{name.upper()}_PORT"
        parser.add_argument(
            f"--{name}-port", type=int, default=environment.get(variable), help=f"of {what} on 127.0.0.1 ({variable})"
        )
    parser.add_argument(
        "--twiml", type=Path, default=environment.get("DEMO_TWIML"), help="a directory with documents (DEMO_TWIML)"
    )
    parser.add_argument("--control-plane-only", action="store_true", help="place no calls, whatever programs are there")
    parser.add_argument("--calls-only", action="store_true", help="of the control plane, show only what calls need")
    found = parser.parse_args(arguments)
    if found.twiml is not None and not found.twiml.is_dir():
        parser.error(f"--twiml: {found.twiml} is no directory")
    return Options(
        found.keep,
        found.logs,
        found.within,
        found.network,
        (found.aws_port, found.ecs_port, found.platform_port),
        found.live_port,
        found.twiml,
        found.control_plane_only,
        found.calls_only,
    )
