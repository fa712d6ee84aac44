"""moto's server, whose ECS tasks have addresses of this machine.

moto gives a task any address within 10.0.0.0/8, whatever its subnet is. The programs of tasks run here, so gateways
connect to what ECS says: it must be an address of this run's and of nobody else's.

    python -m local.task_addresses 127.20.4.0/24 -H 127.0.0.1 -p 5000
"""

import ipaddress
import sys

from moto.ecs import models
from moto.server import main

_FIRST = 10


def give_addresses_of(network: str) -> None:
    """Have each task that is started get the next address of a network."""
    addresses = iter(list(ipaddress.IPv4Network(network).hosts())[_FIRST - 1 :])
    setattr(models, "random_private_ip", lambda: str(next(addresses)))  # noqa: B010 - moto does not export it


if __name__ == "__main__":
    give_addresses_of(sys.argv[1])
    main(sys.argv[2:])
