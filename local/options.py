"""What `make demo` may be told: on the command line, or by the environment."""

import argparse
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from local.run_directory import ROOT

OWN_DOCUMENTS = ROOT / "local" / "twiml"
"""Where whoever has a softphone keeps documents, for `make softphone` and for compose."""
SOFTPHONE_NETWORK = "127.20.4.0/22"
"""Not drawn at random: what a softphone was told once is right the next time, too."""
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
        softphone: whether everything starts for a softphone, shows nothing else, and goes on.
        phone_address: of this machine, which softphones elsewhere reach; None for one of the network.

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
    softphone: bool
    phone_address: str | None


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
    parser.add_argument(
        "--softphone", action="store_true", help="start everything for a softphone, show nothing else, and go on"
    )
    parser.add_argument(
        "--phone-address",
        default=environment.get("DEMO_PHONE_ADDRESS") or None,
        metavar="ADDRESS",
        help="of this machine, for softphones on other machines, with --softphone (DEMO_PHONE_ADDRESS)",
    )
    found = parser.parse_args(arguments)
    if found.twiml is not None and not found.twiml.is_dir():
        parser.error(f"--twiml: {found.twiml} is no directory")
    if found.softphone and found.control_plane_only:
        parser.error("--softphone needs calls, and --control-plane-only places none")
    if found.softphone and found.phone_address and (reason := _not_of_this_machine(found.phone_address)):
        parser.error(f"--phone-address: {reason}")
    if found.softphone:
        found.network = found.network or SOFTPHONE_NETWORK
        found.twiml = found.twiml or OWN_DOCUMENTS
    return Options(
        found.keep or found.softphone,
        found.logs,
        found.within,
        found.network,
        (found.aws_port, found.ecs_port, found.platform_port),
        found.live_port,
        found.twiml,
        found.control_plane_only,
        found.calls_only,
        found.softphone,
        found.phone_address,
    )


def _not_of_this_machine(address: str) -> str | None:
    """Return why programs cannot listen at an address; None when they can."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((str(IPv4Address(address)), 0))
    except (ValueError, OSError) as error:
        return f"{address} is no IPv4 address of this machine: {error}"
    return None
