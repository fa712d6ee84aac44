"""The HTTP API as one application."""

from typing import Final

from aiohttp import web

from switch_app.http_api.authentication import require_credentials
from switch_app.http_api.call_resources import CallResources
from switch_app.http_api.errors import answer_errors
from switch_app.http_api.health_checks import HealthChecks

BODY_MAXIMUM: Final = 512 * 1024
"""Bytes: a document of 64 KB with every character escaped, and some fields."""


def make_http_api(username: str, password: str, calls: CallResources, health: HealthChecks) -> web.Application:
    """Return the HTTP API.

    Args:
        username: what the platform authenticates itself with,
        password: and its password.
        calls: served to the platform.
        health: served to everybody.

    """
    authentication = require_credentials(username, password, open_path="/health_checks")
    application = web.Application(middlewares=[answer_errors, authentication], client_max_size=BODY_MAXIMUM)
    calls.add_to(application)
    health.add_to(application)
    return application


async def serve(application: web.Application, address: str, port: int) -> web.AppRunner:
    """Begin to answer requests; `cleanup()` of what is returned ends it.

    Raises:
        OSError: when the port is taken.

    """
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=5)
    await runner.setup()
    await web.TCPSite(runner, address, port).start()
    return runner
