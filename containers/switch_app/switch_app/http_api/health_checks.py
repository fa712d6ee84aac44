"""`/health_checks`: whether calls may be sent here. Asked by the load balancer and by the containers' health checks."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web

from switch_app.errors import SwitchAppError

logger = logging.getLogger(__name__)

_CHECK_SECONDS: Final = 3.0
"""ECS and the load balancer wait for 5."""

Check = Callable[[], Awaitable[None]]
"""Returns when all is well; raises a SwitchAppError that says what is not."""


class HealthChecks:
    """Answers for the health of this switch.

    Args:
        checks: by name; all of them make up the whole.
        seconds: that a check may take.

    """

    def __init__(self, checks: Mapping[str, Check], seconds: float = _CHECK_SECONDS) -> None:
        self._checks = checks
        self._seconds = seconds
        self._last: dict[str, str] = {}

    def add_to(self, application: web.Application) -> None:
        """Serve it."""
        application.router.add_get("/health_checks", self._all)
        application.router.add_get("/health_checks/{name}", self._one)

    async def _all(self, request: web.Request) -> web.Response:
        return await self._answer(tuple(self._checks))

    async def _one(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self._checks:
            return web.Response(status=404, text="there is no such check\n")
        return await self._answer((name,))

    async def _answer(self, names: tuple[str, ...]) -> web.Response:
        results = await asyncio.gather(*(self._result(name) for name in names))
        status = 200 if all(result == "ok" for result in results) else 500
        lines = [f"{name}: {result}\n" for name, result in zip(names, results, strict=True)]
        return web.Response(status=status, text="".join(lines), headers={"Cache-Control": "no-store"})

    async def _result(self, name: str) -> str:
        try:
            async with asyncio.timeout(self._seconds):
                await self._checks[name]()
        except TimeoutError:
            result = f"no answer within {self._seconds:g} s"
        except SwitchAppError as error:
            result = str(error)
        else:
            result = "ok"
        if result != self._last.get(name, "ok"):
            # Once a change: checks come every few seconds.
            logger.warning("health changed", extra={"check": name, "result": result})
        self._last[name] = result
        return result
