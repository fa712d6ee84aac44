"""Has OpenSIPS end, so that its supervisor starts it with the files that are there then."""

import logging
import time
from collections.abc import Callable

from opensips_scheduler.errors import NotRunning, Unreachable
from opensips_scheduler.reloads import Commands

logger = logging.getLogger(__name__)


def end_opensips(
    commands: Commands, seconds: float = 15.0, *, wait: Callable[[float], object] = time.sleep, pause: float = 0.2
) -> None:
    """Tell OpenSIPS to end, and wait until none listens.

    Args:
        commands: OpenSIPS; it ends without an answer, so the time limit should be short.
        seconds: how long it may take to end.
        wait: sleeps; returns a true value when there is no time left to.
        pause: between two looks, seconds.

    Raises:
        Unreachable: when it still listens after that time.

    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            commands.call("kill")
        except NotRunning:
            logger.info("no OpenSIPS runs with files that were replaced")
            return
        except Unreachable as error:
            if time.monotonic() > deadline:
                raise Unreachable(f"OpenSIPS does not end within {seconds} seconds: {error}") from error
        if wait(pause):
            raise Unreachable("OpenSIPS was not seen to end before this process is to end itself")
