"""Addresses of this machine for everything of a run: a network 127.x.y.0/22 of its own.

Each host has an address, so each program can have the port that it has in a deployment, and several runs do not meet.
"""

import ipaddress
import itertools
import random

from local.errors import LocalError

_FIRST, _LAST = 20, 250


class LoopbackHosts:
    """The hosts of a run.

    Args:
        network: a network of 1,024 addresses or more, such as `127.20.4.0/22`; drawn at random if not given.

    Raises:
        LocalError: when it is none.

    Attributes:
        tasks: network of the ECS tasks with interfaces of their own, which ECS chooses addresses from.
        instances: that of EC2 instances, which EC2 chooses addresses from.
        others: network of everything else.

    """

    def __init__(self, network: str | None = None) -> None:
        chosen = random.SystemRandom()
        drawn = f"127.{chosen.randint(16, 250)}.{4 * chosen.randint(0, 63)}.0/22"
        try:
            whole = ipaddress.IPv4Network(network or drawn)
            self.tasks, self.instances, self.others, *_ = (str(part) for part in whole.subnets(new_prefix=24))
        except ValueError as error:
            raise LocalError(f"{network} is no network such as 127.20.4.0/22: {error}") from error
        if not whole.is_loopback:
            raise LocalError(f"{network} is not within 127.0.0.0/8; everything listens on loopback")
        self._network = ipaddress.IPv4Network(self.others)
        self._numbers = itertools.count(_FIRST)

    def address(self) -> str:
        """Return an address that no other host of this run has."""
        number = next(self._numbers)
        if number > _LAST:
            raise LocalError("the network has no addresses left")
        return str(self._network[number])
