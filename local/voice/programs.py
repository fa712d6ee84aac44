"""Which of the programs that carry calls are on this machine, and how to get those that are not."""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from local.containers import nginx


@dataclass(frozen=True, slots=True)
class Program:
    """A program that calls need.

    Attributes:
        name: its own.
        variable: environment variable that names it where it is not on the PATH; empty for none.
        how: how to get it.

    """

    name: str
    variable: str
    how: str

    def find(self, environment: Mapping[str, str]) -> str | None:
        """Return the program's path; None when it is not there."""
        named = environment.get(self.variable, "") if self.variable else ""
        if named:
            return shutil.which(named)
        path = environment.get("PATH", os.defpath)
        return shutil.which(self.name, path=f"{path}:{nginx.ADMINISTRATORS_PATH}")


PROGRAMS = (
    Program(
        "opensips",
        "OPENSIPS",
        "OpenSIPS 3.6: packages opensips, opensips-auth-modules and opensips-sqlite-module of apt.opensips.org, or a "
        "build that OPENSIPS and OPENSIPS_MODULES name (docs/gateways.md, docs/local.md)",
    ),
    Program(
        "freeswitch",
        "FREESWITCH",
        "FreeSWITCH 1.10: packages of SignalWire's, or a build that FREESWITCH and FREESWITCH_MODULES name "
        "(docs/freeswitch.md, docs/local.md)",
    ),
    Program("rtpengine", "RTPENGINE", "Debian: apt install rtpengine-daemon"),
    Program("sipp", "", "Debian: apt install sip-tester"),
    Program("nginx", "", "Debian: apt install nginx-light"),
)


def missing(environment: Mapping[str, str]) -> list[Program]:
    """Return the programs that are not on this machine."""
    return [program for program in PROGRAMS if program.find(environment) is None]


@dataclass(frozen=True, slots=True)
class NatTools:
    """What a client behind NAT needs of this machine."""

    is_root: Callable[[], bool] = lambda: os.geteuid() == 0
    which: Callable[[str], str | None] = shutil.which

    def reason_not(self) -> str | None:
        """Return why there can be no network namespaces; None when there can."""
        if not self.is_root():
            return "network namespaces need root"
        lacking = [name for name in ("ip", "unshare", "nsenter") if self.which(name) is None]
        if lacking:
            return f"{', '.join(lacking)} not found (Debian: apt install iproute2 util-linux)"
        if self.which("iptables") is None and self.which("nft") is None:
            return "neither iptables nor nft found (Debian: apt install iptables)"
        return None
