"""When the sidecar may end: calls are over, and their records have left the disk."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

logger = logging.getLogger(__name__)

_QUIET_SECONDS: Final = 2.0
"""For which there must be nothing: a record is written a moment after its call's end."""

_PAUSE_SECONDS: Final = 0.2


async def drain(
    has_calls: Callable[[], bool],
    is_empty: Callable[[], Awaitable[bool]],
    seconds: float,
    at_once: asyncio.Event,
    quiet: float = _QUIET_SECONDS,
) -> bool:
    """Return when there has been no call and no record for a while; whether it came to that.

    Args:
        has_calls: whether FreeSWITCH has any.
        is_empty: whether no record waits.
        seconds: how long to wait at most.
        at_once: when it is set, there is no waiting any longer.
        quiet: seconds for which there must be nothing.

    """
    clock = asyncio.get_running_loop().time
    began = since = clock()
    while not at_once.is_set():
        try:
            if has_calls() or not await is_empty():
                since = clock()
        except OSError as error:
            logger.warning("the directory of call data records cannot be read", extra={"reason": str(error)})
            since = clock()
        if clock() - since >= quiet:
            return True
        if clock() - began >= seconds:
            break
        try:
            async with asyncio.timeout(_PAUSE_SECONDS):
                await at_once.wait()
        except TimeoutError:
            continue
    return await is_empty()
