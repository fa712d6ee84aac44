"""Has FreeSWITCH end every call when the app is gone.

FreeSWITCH leaves alone what a dead app was doing: a long prompt plays on, two callers talk on. So the app has it keep
an order to end all calls, due in some seconds, and puts that off again and again.
"""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from switch_app.errors import MediaServerError

logger = logging.getLogger(__name__)

CAUSE: Final = "NORMAL_TEMPORARY_FAILURE"

_GROUPS: Final = ("switch_app_a", "switch_app_b")


class DeadManSwitch:
    """An order that is put off while `run` runs.

    Args:
        api: runs an API command and returns its output.
        seconds: when calls end after the app is last heard of.

    """

    def __init__(self, api: Callable[[str], Awaitable[str]], seconds: int) -> None:
        self._api, self._seconds = api, seconds
        self._groups = itertools.cycle(_GROUPS)
        self._last = next(self._groups)

    async def run(self) -> None:
        """Put the order off, until this is cancelled."""
        while True:
            await asyncio.sleep(self._seconds / 4)
            try:
                await self.put_off()
            except MediaServerError as error:
                logger.warning("order to end calls is not put off", extra={"reason": str(error)})

    async def begin(self) -> None:
        """Put the order off, and withdraw one that a process before this one left.

        Raises:
            MediaServerError: when FreeSWITCH is not reached, or refuses.

        """
        for group in _GROUPS:
            await self._api(f"sched_del {group}")
        await self.put_off()

    async def put_off(self) -> None:
        """Put the order off.

        Raises:
            MediaServerError: when FreeSWITCH is not reached, or refuses.

        """
        # The next is there before the last is gone: there is always one.
        last, self._last = self._last, next(self._groups)
        answer = await self._api(f"sched_api +{self._seconds} {self._last} hupall {CAUSE}")
        if not answer.startswith("+OK"):
            raise MediaServerError(f"FreeSWITCH refuses sched_api: {answer}")
        await self._api(f"sched_del {last}")

    async def withdraw(self) -> None:
        """Take the order back: the app ends, and its calls have."""
        try:
            await self._api(f"sched_del {self._last}")
        except MediaServerError as error:
            logger.warning("order to end calls is not withdrawn", extra={"reason": str(error)})
