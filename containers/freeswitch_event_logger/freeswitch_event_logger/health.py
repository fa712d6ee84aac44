"""`GET /health`: 200 `OK`, or 503 with what is wrong, by name. `GET /health/<name>` is one check."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Final

from aiohttp import web

logger = logging.getLogger(__name__)

_HOST: Final = "127.0.0.1"

Check = Callable[[], str | None]
"""Returns what is wrong; None when all is well."""


class HealthServer:
    """Answers for the sidecar's health.

    Args:
        port: where, on 127.0.0.1.
        checks: by name.

    """

    def __init__(self, port: int, checks: Mapping[str, Check]) -> None:
        self._port, self._checks = port, checks
        application = web.Application()
        application.router.add_get("/health", self._all)
        application.router.add_get("/health/{name}", self._one)
        self._runner = web.AppRunner(application, access_log=None)
        self._told: dict[str, str] = {}

    async def start(self) -> None:
        """Begin to answer.

        Raises:
            OSError: when the port is taken.

        """
        await self._runner.setup()
        await web.TCPSite(self._runner, _HOST, self._port).start()

    async def close(self) -> None:
        """End."""
        await self._runner.cleanup()

    def _problems(self) -> dict[str, str]:
        problems = {name: problem for name, check in self._checks.items() if (problem := check()) is not None}
        if problems.keys() != self._told.keys():
            logger.log(logging.WARNING if problems else logging.INFO, "health changed", extra={"problems": problems})
        self._told = problems
        return problems

    async def _all(self, request: web.Request) -> web.Response:
        return _answer(self._problems())

    async def _one(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self._checks:
            raise web.HTTPNotFound(text="there is no such check\n")
        problem = self._checks[name]()
        return _answer({} if problem is None else {name: problem})


def _answer(problems: Mapping[str, str]) -> web.Response:
    if not problems:
        return web.Response(text="OK")
    return web.Response(status=503, text=json.dumps({"problems": problems}), content_type="application/json")
