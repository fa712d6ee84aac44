"""Digest registrations a second through the client gateway on SQLite, and on PostgreSQL with the same configuration.

SIPp registers clients out of a table of many, each with a contact of its own: REGISTER, 401, REGISTER with the digest,
200. A round registers some for the first time and then refreshes them; the gateways take turns, round by round.
PostgreSQL runs on this machine, so its network costs nothing here. It is shown with its own defaults, where a commit
waits for the disk, and without that wait, which is what SQLite promises in this configuration: no process that is
killed loses a contact, a power failure may lose the last ones.

SIPp, OpenSIPS and PostgreSQL share the machine's cores. Where SIPp has a core to itself (its column says nearly 100 %)
it is SIPp that limits, and the CPU time of a registration says more than the rate. Needs OpenSIPS with db_postgres,
SIPp and PostgreSQL (see docs/gateways.md).

    make bench, or python -m benchmarks.gateway_registrations [--rounds 3] [--clients 8000] [--in-flight 50]
"""

import argparse
import hashlib
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.gateways_side_by_side import POSTGRESQL, POSTGRESQL_NO_WAIT, SQLITE, Contender, missing, side_by_side
from tests.support.loopback import LoopbackNetwork
from tests.support.sipp_load import Outcome, place_calls

_CLIENT = Path(__file__).parent / "scenarios" / "client.xml"
_REALM, _PASSWORD = "somleng.org", "correct-horse"
_COLUMNS = ("username", "ha1", "ha1_sha256", "ha1_sha512t256")
_GOAL = 1.5
_KINDS = ("new", "refreshed")


@dataclass(frozen=True)
class Sample:
    """One round of one gateway: how it went, and the CPU microseconds that a registration took."""

    outcome: Outcome
    opensips: float
    database: float


def subscribers(count: int) -> list[tuple[str, ...]]:
    """Return rows of as many subscribers, who all have one password."""
    rows = []
    for number in range(count):
        name = f"user{number}"
        digested = f"{name}:{_REALM}:{_PASSWORD}".encode()
        digests = (hashlib.new(algorithm, digested).hexdigest() for algorithm in ("md5", "sha256", "sha512_256"))
        rows.append((name, *digests))
    return rows


@contextmanager
def users_file(first: int, count: int) -> Iterator[Path]:
    """Write SIPp's file of some subscribers."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "users.csv"
        names = (f"user{number}" for number in range(first, first + count))
        lines = (f"{name};[authentication username={name} password={_PASSWORD}];\n" for name in names)
        path.write_text("SEQUENTIAL\n" + "".join(lines))
        yield path


def register(contender: Contender, address: str, users: Path, count: int, in_flight: int) -> Sample:
    """Register subscribers through a gateway."""
    gateway = contender.gateway
    before = contender.cpu_seconds()
    remote = f"{gateway.address}:5060"
    outcome = place_calls(_CLIENT, gateway.directory, address, remote, calls=count, in_flight=in_flight, users=users)
    opensips, database = (after - used for after, used in zip(contender.cpu_seconds(), before, strict=True))
    if outcome.failed > count // 100:
        raise SystemExit(f"{contender.name}: {outcome.failed} registrations failed\n{gateway.log_text()[-2000:]}")
    return Sample(outcome, 1e6 * opensips / count, 1e6 * database / count)


def _print(kind: str, samples: dict[tuple[str, str], list[Sample]]) -> float:
    """Print what one kind of registration came to; return the ratio to PostgreSQL."""
    base = samples[SQLITE, kind]
    ratio = 0.0
    for name in (SQLITE, POSTGRESQL, POSTGRESQL_NO_WAIT):
        own = samples[name, kind]
        ratios = [ours.outcome.rate / its.outcome.rate for ours, its in zip(base, own, strict=True)]
        if name == POSTGRESQL:
            ratio = statistics.median(ratios)
        cpu = statistics.median(sample.opensips + sample.database for sample in own)
        ours = statistics.median(sample.opensips + sample.database for sample in base)
        busy = statistics.median(sample.outcome.sipp_cpu_seconds / sample.outcome.seconds for sample in own)
        print(
            f"  {kind:10}{name:18}{statistics.median(sample.outcome.rate for sample in own):8.0f}"
            f"{statistics.median(ratios):8.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            f"{statistics.median(sample.opensips for sample in own):9.0f}"
            f"{statistics.median(sample.database for sample in own):10.0f}{cpu / ours:8.2f}{busy:8.0%}"
        )
    return ratio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=16_000, help="that register in a round")
    parser.add_argument("--in-flight", type=int, default=120, help="with 50, part of the cores is idle on SQLite")
    parser.add_argument("--subscribers", type=int, default=100_000)
    arguments = parser.parse_args()
    if (reason := missing()) is not None:
        print(f"left out: {reason}")
        return
    network = LoopbackNetwork()
    # SIPp knows MD5 only. The rest is as deployed.
    settings = {"DIGEST_ALGORITHMS": "MD5", "SIP_WORKERS": "4", "SHARED_MEMORY_MEGABYTES": "256"}
    rows = {"subscriber": (_COLUMNS, subscribers(arguments.subscribers))}
    samples: defaultdict[tuple[str, str], list[Sample]] = defaultdict(list)
    names = (SQLITE, POSTGRESQL, POSTGRESQL_NO_WAIT)
    with side_by_side("client", network, rows, settings, names) as contenders:
        address, count = network.address(), arguments.clients
        for turn in range(arguments.rounds):
            with users_file(turn * count, count) as users:
                for contender in contenders[turn % 3 :] + contenders[: turn % 3]:
                    for kind in _KINDS:
                        sample = register(contender, address, users, count, arguments.in_flight)
                        samples[contender.name, kind].append(sample)
    print(
        f"{arguments.rounds} rounds of {count} registrations, {arguments.in_flight} at a time, "
        f"{arguments.subscribers} subscribers, 4 SIP workers; medians"
    )
    print("                               per s   SQLite is so many    CPU us each     CPU to   SIPp's")
    print("                                       times as fast      OpenSIPS  server  SQLite's   core")
    ratios = [_print(kind, samples) for kind in _KINDS]
    print(f"  goal: {_GOAL} times PostgreSQL: {'met' if min(ratios) >= _GOAL else 'MISSED'} ({min(ratios):.2f})")


if __name__ == "__main__":
    main()
