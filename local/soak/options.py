"""What `make soak` may be told."""

import argparse
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass

_MINUTES, _CALLS_A_SECOND = 10.0, 2.5
_SEEDS = 1_000_000


@dataclass(frozen=True, slots=True)
class SoakOptions:
    """What a soak does.

    Attributes:
        seconds: how long calls are placed.
        rate: calls a second, on average.
        seed: draws calls, changes and disturbances; the same one draws the same again.
        network: of the programs' addresses; None for one drawn at random.

    """

    seconds: float
    rate: float
    seed: int
    network: str | None


def parse(description: str | None, arguments: Sequence[str]) -> SoakOptions:
    """Read the options."""
    parser = argparse.ArgumentParser(prog="make soak", description=description)
    parser.add_argument("--minutes", type=float, default=_MINUTES, help="how long calls are placed (%(default)s)")
    parser.add_argument(
        "--rate", type=float, default=_CALLS_A_SECOND, help="calls a second; two cores carry the default (%(default)s)"
    )
    parser.add_argument("--seed", type=int, help="draws everything; without, one is drawn and printed")
    parser.add_argument("--network", default=os.environ.get("DEMO_NETWORK"), help="of the programs (DEMO_NETWORK)")
    found = parser.parse_args(arguments)
    if found.minutes <= 0 or found.rate <= 0:
        parser.error("--minutes and --rate have to be more than 0")
    seed = random.SystemRandom().randrange(_SEEDS) if found.seed is None else found.seed
    return SoakOptions(60 * found.minutes, found.rate, seed, found.network)
