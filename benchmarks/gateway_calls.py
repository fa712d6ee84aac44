"""Calls a second through the public gateway on SQLite, and on PostgreSQL with the same configuration.

Two loads. Short calls at rates that rise step by step, until some fail or more than one request in a hundred has to be
sent again: the step before is what a gateway carries. Neither database is asked for anything then, for targets and
addresses are in memory and such a dialog ends before it is written. Long calls, at a rate that both bear, each of which
outlives the ten seconds after which OpenSIPS writes a dialog: one row is inserted and deleted a call, and the CPU time
of a call is what differs. The gateways take turns.

SIPp's two ends, OpenSIPS and PostgreSQL share the machine's cores; with two cores SIPp takes the larger part, and
whatever else runs takes from all of them. So the rates compare the two, they are not what a gateway bears on a machine
of its own. Needs OpenSIPS with db_postgres, SIPp and PostgreSQL (see docs/gateways.md).

    make bench, or python -m benchmarks.gateway_calls [--rounds 2] [--long-calls 6000]
"""

import argparse
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.gateways_side_by_side import POSTGRESQL, SQLITE, Contender, Rows, missing, side_by_side
from tests.support.loopback import LoopbackNetwork
from tests.support.sipp_load import Outcome, answering, place_calls

_SCENARIOS = Path(__file__).parent / "scenarios"
_STEPS = range(1_000, 5_001, 500)
"""Short calls a second."""
_STEP_SECONDS = 1.5
_SHORT_TALK_SECONDS = 0.1
_LONG_CALLS_A_SECOND = 750
_TALK_SECONDS = 11.0


@dataclass(frozen=True)
class Sample:
    """One round of one gateway: how it went, and the CPU microseconds that a call took."""

    outcome: Outcome
    opensips: float
    server: float


class Hosts:
    """A carrier and a switch, and the calls that they have with each other."""

    def __init__(self, network: LoopbackNetwork) -> None:
        self.carrier, self.switch = network.address(), network.address()

    def call(self, contender: Contender, calls: int, rate: int, talk: float) -> Sample:
        """Place calls at a rate, each of some seconds."""
        directory, remote = contender.gateway.directory, f"{contender.gateway.address}:5060"
        with answering(_SCENARIOS / "switch.xml", directory, self.switch):
            before = contender.cpu_seconds()
            outcome = place_calls(
                _SCENARIOS / "carrier.xml",
                directory,
                self.carrier,
                remote,
                calls=calls,
                in_flight=calls,
                rate=rate,
                talk=talk,
            )
            opensips, server = (after - used for after, used in zip(contender.cpu_seconds(), before, strict=True))
        return Sample(outcome, 1e6 * opensips / calls, 1e6 * server / calls)

    def carried(self, contender: Contender) -> tuple[int, list[Sample]]:
        """Return the highest rate of short calls that a gateway carries, and the samples up to there."""
        reached, samples = 0, []
        for rate in _STEPS:
            for _ in range(2):  # something else may have had the machine for a moment
                sample = self.call(contender, int(rate * _STEP_SECONDS), rate, _SHORT_TALK_SECONDS)
                if not sample.outcome.failed and sample.outcome.retransmissions <= sample.outcome.successful // 100:
                    reached = rate
                    samples.append(sample)
                    break
            else:
                break
        return reached, samples


def _cpu(samples: Sequence[Sample]) -> tuple[float, float]:
    """Return the median CPU microseconds of OpenSIPS and of the server."""
    return statistics.median(one.opensips for one in samples), statistics.median(one.server for one in samples)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=2, help="of short calls")
    parser.add_argument("--long-calls", type=int, default=6_000, help="in the one round that they have")
    arguments = parser.parse_args()
    if (reason := missing()) is not None:
        print(f"left out: {reason}")
        return
    network = LoopbackNetwork()
    hosts = Hosts(network)
    settings = {"SIP_WORKERS": "4", "SHARED_MEMORY_MEGABYTES": "256", "PROBE_INTERVAL": "3600"}
    rows: Rows = {
        "load_balancer": (
            ("group_id", "dst_uri", "resources", "probe_mode"),
            [(1, f"sip:{hosts.switch}:5060", f"gw=fs://:unused@{hosts.switch}:8021", 2)],
        ),
        "address": (("grp", "ip", "mask"), [(1, hosts.carrier, 32)]),
    }
    rates: defaultdict[str, list[int]] = defaultdict(list)
    short: defaultdict[str, list[Sample]] = defaultdict(list)
    with side_by_side("public", network, rows, settings, (SQLITE, POSTGRESQL)) as contenders:
        for turn in range(arguments.rounds):
            for contender in contenders[:: -1 if turn % 2 else 1]:
                rate, samples = hosts.carried(contender)
                rates[contender.name].append(rate)
                short[contender.name] += samples
        long = {
            contender.name: hosts.call(contender, arguments.long_calls, _LONG_CALLS_A_SECOND, _TALK_SECONDS)
            for contender in contenders
        }
    if not all(short.values()):
        raise SystemExit(f"not even {_STEPS[0]} calls a second are carried: {dict(rates)}")
    print(f"{'':12}{'short calls/s':>15}{'by round':>18}{'OpenSIPS us':>13}{'server us':>11}")
    for name in (SQLITE, POSTGRESQL):
        opensips, server = _cpu(short[name])
        by_round = " ".join(map(str, rates[name]))
        print(f"{name:12}{max(rates[name]):15}{by_round:>18}{opensips:13.0f}{server:11.0f}")
    carried = max(rates[SQLITE]) / max(rates[POSTGRESQL])
    short_cpu = sum(_cpu(short[POSTGRESQL])) / sum(_cpu(short[SQLITE]))
    print(f"SQLite carries {carried:.2f} times as many; PostgreSQL takes {short_cpu:.2f} times as much CPU a call")
    print(f"\n{arguments.long_calls} calls of {_TALK_SECONDS:.0f} s, {_LONG_CALLS_A_SECOND} new ones a second")
    for name, sample in long.items():
        told = f"{sample.opensips:.0f} us of OpenSIPS and {sample.server:.0f} us of the server a call"
        print(f"{name:12}{told}, {sample.outcome.failed} failed, {sample.outcome.retransmissions} sent again")
    ours, its = (long[name].opensips + long[name].server for name in (SQLITE, POSTGRESQL))
    print(f"PostgreSQL takes {its / ours:.2f} times as much CPU a call")
    print(f"\ngoal: as many calls as on PostgreSQL: {'met' if carried >= 1 else 'MISSED'} ({carried:.2f})")


if __name__ == "__main__":
    main()
