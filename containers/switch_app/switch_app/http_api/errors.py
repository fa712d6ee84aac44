"""Answers to requests that cannot be served."""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from switch_app.errors import Draining, InvalidRequest, MediaServerError, PlatformUnavailable

logger = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answer(status: int, message: str) -> web.Response:
    """Return an answer that says what is wrong."""
    return web.json_response({"message": message}, status=status)


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what is raised into an answer; what nobody thought of is logged and told to nobody."""
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        if refusal.status < 400:
            raise
        response = answer(refusal.status, refusal.reason)
        if "Allow" in refusal.headers:
            response.headers["Allow"] = refusal.headers["Allow"]
        return response
    except InvalidRequest as error:
        return answer(422, str(error))
    except (Draining, MediaServerError, PlatformUnavailable) as error:
        logger.warning(
            "request not served", extra={"method": request.method, "path": request.path, "reason": str(error)}
        )
        return answer(503, str(error))
    except Exception:  # the server would answer with the same status, in its own words
        logger.exception("request failed", extra={"method": request.method, "path": request.path})
        return answer(500, "Internal Server Error")
