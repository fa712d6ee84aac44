"""Addresses of this machine for hosts of a test: every run has a network of its own in 127.0.0.0/8."""

import itertools
import random


class LoopbackNetwork:
    """A network 127.x.y.0/24, drawn at random so that test runs beside each other do not meet."""

    def __init__(self) -> None:
        chosen = random.SystemRandom()
        self.prefix = f"127.{chosen.randint(16, 250)}.{chosen.randint(0, 254)}"
        self._numbers = itertools.count(10)

    def address(self) -> str:
        """Return an address that no other host of this network has."""
        number = next(self._numbers)
        if number > 250:
            raise RuntimeError("the network has no addresses left")
        return f"{self.prefix}.{number}"
