"""The HTTP client for URLs that a stranger chose.

Where a connection goes is checked on the very address that the socket is about to connect to: no name that resolves
differently the next time, no redirect and no spelling of an address gets around it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from aiohttp.abc import AbstractCookieJar
from yarl import URL

from switch_app.errors import FetchFailed
from switch_app.http.guarded_connector import AddressRefused, guarded_connector
from switch_app.http.public_addresses import Network
from switch_app.http.resolver import ThreadResolver

SECONDS_MAXIMUM: Final = 15.0
"""From the first attempt to the last byte; Twilio's limit."""

REDIRECTS_MAXIMUM: Final = 10

_CONNECT_SECONDS: Final = 5.0
_CONNECTIONS: Final = 200
_PIECE_BYTES: Final = 64 * 1024
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_SCHEMES: Final = ("http", "https")


@dataclass(frozen=True, slots=True)
class Request:
    """A request, and how it is repeated where a redirect leads.

    Attributes:
        method: `GET` or `POST`.
        url: as it goes over the wire: whatever needs it is escaped.
        body: of a POST; gone when a redirect turns it into a GET.
        headers: given method, URL and body of each request that is made, the headers that it has.
        cookies: where cookies are kept; None takes none.

    """

    method: str
    url: URL
    headers: Callable[[str, URL, bytes | None], Mapping[str, str]]
    body: bytes | None = None
    cookies: AbstractCookieJar | None = field(default=None, repr=False)


class PublicClient:
    """One pool of connections to strangers' servers. It is made where an event loop runs.

    Args:
        allowed: networks that may be reached although they are not public.
        seconds: how long one fetch may take, with its redirects and its retry.

    """

    def __init__(self, allowed: Sequence[Network] = (), seconds: float = SECONDS_MAXIMUM) -> None:
        self._seconds = seconds
        self._resolver = ThreadResolver()
        self._session = aiohttp.ClientSession(
            connector=guarded_connector(self._resolver, allowed, _CONNECTIONS),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
            trust_env=False,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()
        await self._resolver.close()

    @asynccontextmanager
    async def fetch(self, request: Request) -> AsyncIterator[aiohttp.ClientResponse]:
        """Make a request, follow its redirects, and give the last answer, whose body is still to be read.

        What happens inside the context counts against the time.

        Raises:
            FetchFailed: the server is not reached, takes too long, redirects too often, or is not to be reached.

        """
        response: aiohttp.ClientResponse | None = None
        try:
            async with asyncio.timeout(self._seconds):
                response = await self._follow(request)
                yield response
        except TimeoutError:
            raise FetchFailed(f"{_shown(request.url)} takes more than {self._seconds:g} seconds") from None
        except (aiohttp.ClientError, OSError) as error:
            raise FetchFailed(f"{_shown(request.url)} cannot be fetched: {type(error).__name__}: {error}") from error
        finally:
            if response is not None:
                # What was not read is not waited for: it may be without end.
                response.close() if not response.content.at_eof() else response.release()

    async def _follow(self, request: Request) -> aiohttp.ClientResponse:
        method, url, body = request.method, request.url, request.body
        for _ in range(REDIRECTS_MAXIMUM + 1):
            response = await self._send(method, url, body, request)
            if response.status not in _REDIRECTS or "Location" not in response.headers:
                return response
            location = response.headers["Location"]
            if response.status == 303 or (response.status in (301, 302) and method == "POST"):
                method, body = "GET", None  # as browsers do, and RFC 9110, section 15.4, allows
            response.close()
            try:
                url = url.join(URL(location)).with_fragment(None)
            except ValueError:
                raise FetchFailed(f"{_shown(url)} redirects to what is no URL") from None
        raise FetchFailed(f"{_shown(request.url)} redirects more than {REDIRECTS_MAXIMUM} times")

    async def _send(self, method: str, url: URL, body: bytes | None, request: Request) -> aiohttp.ClientResponse:
        if url.scheme not in _SCHEMES or not url.host:
            raise FetchFailed(f"{_shown(url)} is no http or https URL")
        headers = dict(request.headers(method, url, body))
        if url.user is not None:
            try:
                headers["Authorization"] = aiohttp.encode_basic_auth(url.user, url.password or "")
            except ValueError:
                raise FetchFailed(f"{_shown(url)} has a user name with a colon") from None
        bare = url.with_user(None)
        if request.cookies:
            cookies = request.cookies.filter_cookies(bare)
            if cookies:
                headers["Cookie"] = "; ".join(f"{name}={morsel.coded_value}" for name, morsel in cookies.items())
        response = await self._send_twice(method, bare, headers, body)
        if request.cookies is not None and response.cookies:
            request.cookies.update_cookies(response.cookies, bare)
        return response

    async def _send_twice(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None
    ) -> aiohttp.ClientResponse:
        """Send a request, and once again when there is no connection, or it breaks before there is an answer."""
        try:
            return await self._session.request(method, url, headers=headers, data=body, allow_redirects=False)
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, AddressRefused):
                raise FetchFailed(f"{_shown(url)} {error.os_error}") from None
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            if method != "POST":
                raise  # aiohttp has tried twice already: it does for methods that change nothing
        return await self._session.request(method, url, headers=headers, data=body, allow_redirects=False)


async def pieces(response: aiohttp.ClientResponse, maximum: int) -> AsyncIterator[bytes]:
    """Give an answer's body piece by piece.

    Raises:
        FetchFailed: as soon as there are more bytes than the maximum, whatever the server announced.

    """
    if (response.content_length or 0) > maximum:
        raise FetchFailed(f"{_shown(response.url)} has {response.content_length} bytes, more than {maximum}")
    count = 0
    async for piece in response.content.iter_chunked(_PIECE_BYTES):
        count += len(piece)
        if count > maximum:
            raise FetchFailed(f"{_shown(response.url)} has more than {maximum} bytes")
        yield piece


def parse_url(text: str) -> URL:
    """Return a URL from a document, with what needs it escaped and without its fragment.

    Raises:
        FetchFailed: when it is none.

    """
    try:
        return URL(text.strip()).with_fragment(None)
    except ValueError:
        raise FetchFailed(f"{text.strip()[:200]!r} is no URL") from None


def _shown(url: URL) -> str:
    """Return a URL as a log may have it: without password, and without the query, which holds what callers said."""
    try:
        return str(url.with_user(None).with_query(None))
    except ValueError:
        return str(url.with_query(None))  # a relative one has no user
