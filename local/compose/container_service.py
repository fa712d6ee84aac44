"""ECS and EC2 as `local/compose.yaml` has them: moto's, in which the tasks stand for the containers that really run.

    python -m local.compose.container_service <address of the switch>

moto draws the address of a task's own interface by lot. Here the one task that has an interface is the switch, whose
address in the network is fixed.
"""

import sys
from typing import Final

from moto.ecs import models
from moto.server import main as serve

PORT: Final = 5000


def main(switch_address: str) -> None:
    """Serve until the process is told to stop."""

    def address(*_: object, **__: object) -> str:
        return switch_address

    models.random_private_ip = address  # type: ignore[attr-defined]
    serve(["-H", "0.0.0.0", "-p", str(PORT)])  # noqa: S104 - it is in a network of its own


if __name__ == "__main__":
    main(sys.argv[1])
