"""Basic authentication of the platform (RFC 7617)."""

import base64
import binascii
import hmac

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from switch_app.http_api.errors import answer

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="Protected Area"'}


def require_credentials(username: str, password: str, open_path: str) -> Middleware:
    """Return what lets requests with the right name and password through, and those to an open path.

    Args:
        username: the platform's.
        password: the platform's.
        open_path: it and what is below it asks for nothing.

    """
    expected = f"{username}:{password}".encode()

    @web.middleware
    async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
        is_open = request.path == open_path or request.path.startswith(f"{open_path}/")
        if is_open or hmac.compare_digest(_credentials(request), expected):
            return await handler(request)
        refusal = answer(401, "Unauthorized")
        refusal.headers.update(_CHALLENGE)
        return refusal

    return authenticate


def _credentials(request: web.Request) -> bytes:
    """Return name and password of a request, with the colon between them; nothing where there are none."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""
