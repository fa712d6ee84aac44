"""What every answer has, and which requests get one: nothing of another origin may read the page or be read by it."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

HOST: Final = "127.0.0.1"
"""The only address that the page is served on."""

HEADERS: Final = {
    # Everything that the page loads is served beside it: it works without a network, and sends nothing to one.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Answer only GET, and only who names this machine as the host.

    A page of another site may have its name lead to 127.0.0.1 (DNS rebinding); the Host header still names that site.
    """
    try:
        _check(request)
        response = await handler(request)
    except web.HTTPException as refused:
        refused.headers.update(HEADERS)
        raise
    if not response.prepared:
        response.headers.update(HEADERS)
    return response


def _check(request: web.Request) -> None:
    port = request.transport.get_extra_info("sockname")[1] if request.transport else 0
    if request.headers.getall("Host", []) not in ([f"{HOST}:{port}"], [f"localhost:{port}"]):
        raise web.HTTPMisdirectedRequest(text="this is no host of that name\n")
    if request.method != "GET":
        raise web.HTTPMethodNotAllowed(request.method, ["GET"])
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        raise web.HTTPForbidden(text="other sites may not read this\n")
