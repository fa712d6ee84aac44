"""One request to the services API: who asks, how long it may take, and when it is sent again."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum, auto
from typing import Any, Final

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError

from switch_app.backoff import Backoff
from switch_app.call_platform.password import Password
from switch_app.errors import OutcomeUnknown, PlatformRefused, PlatformUnavailable

logger = logging.getLogger(__name__)

_SECONDS: Final = 10.0
_CONNECT_SECONDS: Final = 3.0
_CONNECTIONS: Final = 50
_BODY_MAXIMUM: Final = 1024 * 1024
_BACKOFF: Final = Backoff(first=0.4, longest=2.0)
_JSON: Final = "application/json"
# Answers that say that nothing was done: a wrong password, too many requests, a proxy that has nobody to hand it to.
_NOT_DONE: Final = frozenset({401, 429, 503})


class Repeat(Enum):
    """Whether a request may be sent again when it is not known what came of the first."""

    HARMLESS = auto()
    """It may: doing it twice is doing it once."""
    ONLY_IF_NOT_DONE = auto()
    """It must not: it would make something twice. It is sent again only when it certainly was not done."""


class Api:
    """The services API. It is made where an event loop runs.

    Args:
        base_url: `https://services.somleng.org`.
        username: of basic auth.
        password: of basic auth.
        seconds: how long one attempt may take.
        attempts: how often a request is sent at most.
        backoff: how long to wait between attempts.
        pause: waits.

    """

    def __init__(
        self,
        base_url: str,
        username: str,
        password: Password,
        *,
        seconds: float = _SECONDS,
        attempts: int = 3,
        backoff: Backoff = _BACKOFF,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._username, self._password = username, password
        self._attempts, self._backoff, self._pause = attempts, backoff, pause
        self._connector = aiohttp.TCPConnector(limit=_CONNECTIONS)
        self._timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS)
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()
        await self._connector.close()

    async def send(
        self, method: str, path: str, body: Mapping[str, Any], repeat: Repeat = Repeat.ONLY_IF_NOT_DONE
    ) -> Mapping[str, Any]:
        """Send JSON and return the JSON of the answer; empty when the answer is.

        Raises:
            PlatformRefused: the answer is 4xx.
            OutcomeUnknown: it may have been done, and is not sent again.
            PlatformUnavailable: there is no answer, or none that helps, as often as was tried.

        """
        content = json.dumps(body).encode()
        answer = await self.send_content(method, path, content, _JSON, repeat)
        try:
            parsed = json.loads(answer) if answer else {}
        except ValueError:
            raise PlatformUnavailable(f"{method} {path} was answered with what is no JSON") from None
        if not isinstance(parsed, dict):
            raise PlatformUnavailable(f"{method} {path} was answered with no JSON object")
        return parsed

    async def send_content(self, method: str, path: str, content: bytes, kind: str, repeat: Repeat) -> bytes:
        """Send content of some kind and return what is answered.

        Raises:
            PlatformRefused, PlatformUnavailable: as above.

        """
        refused: str | None = None
        for attempt in range(1, self._attempts + 1):
            if attempt > 1 and refused is None:
                await self._pause(self._backoff.seconds(attempt - 1))
            try:
                password = await self._password(refused)
                status, answer = await self._attempt(method, path, content, kind, password)
            except (aiohttp.ClientError, TimeoutError, OSError, BotoCoreError, ClientError) as error:
                # A connection that was not made carried nothing, and without a password nothing was sent.
                is_unsent = isinstance(error, aiohttp.ClientConnectorError | BotoCoreError | ClientError)
                reason = f"{method} {path} failed: {type(error).__name__}: {error}"
                may_repeat = is_unsent or repeat is Repeat.HARMLESS
            else:
                if 200 <= status < 300:
                    return answer
                reason = f"{method} {path} was answered with {status}"
                if status == 401 and refused is None:
                    refused = password  # it may have been changed since it was read
                    continue
                if 400 <= status < 500 and status not in (401, 408, 429):
                    raise PlatformRefused(_message(answer) or reason, status)
                may_repeat = status in _NOT_DONE or repeat is Repeat.HARMLESS
            refused = None
            logger.warning("the platform does not answer", extra={"attempt": attempt, "reason": reason})
            if not may_repeat:
                raise OutcomeUnknown(reason)
        raise PlatformUnavailable(reason)

    async def _attempt(self, method: str, path: str, content: bytes, kind: str, password: str) -> tuple[int, bytes]:
        session = self._sessions.get(password) or self._new_session(password)
        url, headers = self._base_url + path, None if kind == _JSON else {"Content-Type": kind}
        async with session.request(method, url, data=content, headers=headers, allow_redirects=False) as response:
            return response.status, await _read(response)

    def _new_session(self, password: str) -> aiohttp.ClientSession:
        """Have the headers of every request with a password made once; passwords change seldom."""
        self._sessions[password] = session = aiohttp.ClientSession(
            connector=self._connector,
            connector_owner=False,
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "Accept": _JSON,
                "Content-Type": _JSON,
                "User-Agent": "somleng-switch-app",
                # UTF-8 as RFC 7617, section 2.1, advises.
                "Authorization": aiohttp.encode_basic_auth(self._username, password),
            },
            trust_env=False,
        )
        return session


async def _read(response: aiohttp.ClientResponse) -> bytes:
    if response.content_length is not None and response.content_length <= _BODY_MAXIMUM and not _is_packed(response):
        return await response.read()  # no more than was announced is taken
    answer = bytearray()
    async for piece in response.content.iter_any():
        answer += piece
        if len(answer) > _BODY_MAXIMUM:
            raise aiohttp.ClientPayloadError(f"the answer has more than {_BODY_MAXIMUM} bytes")
    return bytes(answer)


def _is_packed(response: aiohttp.ClientResponse) -> bool:
    """Whether an answer is longer than it says."""
    return "Content-Encoding" in response.headers


def _message(answer: bytes) -> str | None:
    """Return what a refusal says; None when it says nothing."""
    try:
        message = json.loads(answer)["message"]
    except (ValueError, TypeError, KeyError):
        return None
    return message if isinstance(message, str) else None
