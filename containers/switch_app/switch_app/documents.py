"""Asks customers' servers for TwiML."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import quote_plus

import aiohttp
from yarl import URL

from switch_app.errors import FetchFailed
from switch_app.http.public_client import PublicClient, Request, parse_url, pieces
from switch_app.services import Document
from switch_app.signature import sign
from switch_app.twiml.document import SIZE_MAXIMUM

_HEADERS: Final = {
    "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
    "User-Agent": "TwilioProxy/1.1",
    "Accept": "text/xml, application/xml, text/html",
    "Cache-Control": "max-age=259200",
}
_COOKIES_MAXIMUM: Final = 40

_quoted_name: Final = lru_cache(maxsize=256)(quote_plus)
"""Most names are the same in every request."""


class CustomerDocuments:
    """The customer's server, for one call: cookies are kept as long as this is. It is made where an event loop runs.

    Args:
        client: what reaches it.
        auth_token: the account's, which requests are signed with.

    """

    def __init__(self, client: PublicClient, auth_token: str) -> None:
        self._client = client
        self._auth_token = auth_token
        # A server that is named by its address may set cookies too.
        self._cookies = aiohttp.CookieJar(unsafe=True)

    async def fetch(self, url: str, method: str, parameters: Sequence[tuple[str, str]]) -> Document:
        """Ask for a document; the method is `GET` when it is exactly that, and `POST` otherwise.

        An answer that is no success is an error, as it is at Twilio: what servers send with it, a page of HTML, would
        end the call as well, with a message that misleads.

        Raises:
            FetchFailed: saying why there is none.

        """
        target = parse_url(url)
        form = "&".join([f"{_quoted_name(name)}={quote_plus(value)}" for name, value in parameters])
        if method == "GET":
            request = Request("GET", _with_query(target, form), self._headers([]), cookies=self._cookies)
        else:
            request = Request("POST", target, self._headers(parameters), form.encode(), self._cookies)
        async with self._client.fetch(request) as response:
            if not 200 <= response.status < 300:
                raise FetchFailed(f"the server of {_shown(response.url)} answered with {response.status}")
            content = b"".join([piece async for piece in pieces(response, SIZE_MAXIMUM)])
            if len(self._cookies) > _COOKIES_MAXIMUM:
                self._cookies.clear()
            # The parameters that were appended are not part of where the document is: asked for again, it would get the
            # old ones beside the new ones.
            is_redirected = response.url != request.url.with_user(None)
            return Document(content, str(response.url if is_redirected else target))

    def _headers(self, parameters: Sequence[tuple[str, str]]) -> "_SignedHeaders":
        return _SignedHeaders(self._auth_token, parameters)


class _SignedHeaders:
    """The headers of one request and of those that it is redirected to: each has a signature of its own."""

    def __init__(self, auth_token: str, parameters: Sequence[tuple[str, str]]) -> None:
        self._auth_token = auth_token
        self._parameters = parameters

    def __call__(self, method: str, url: URL, body: bytes | None) -> Mapping[str, str]:
        parameters = self._parameters if body is not None else ()
        # A server cannot see the credentials in a URL: it could not check a signature that was made with them.
        signature = sign(self._auth_token, str(url.with_user(None)), parameters)
        return {**_HEADERS, "X-Twilio-Signature": signature}


def _with_query(url: URL, form: str) -> URL:
    """Append parameters to a URL's query, with that left as it is."""
    if not form:
        return url
    text = str(url)
    return URL(f"{text}{'&' if '?' in text else '?'}{form}", encoded=True)


def _shown(url: URL) -> str:
    return str(url.with_query(None))
