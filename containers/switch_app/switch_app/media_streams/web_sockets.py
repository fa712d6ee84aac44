"""WebSockets to hosts that customers name.

The client is aiohttp's and not that of `websockets`: the app has it already, it parses and masks frames in C, and its
connector checks the very address that a socket connects to, as for TwiML.
"""

import ssl
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Final, Protocol

import aiohttp
from yarl import URL

from switch_app.errors import FetchFailed
from switch_app.http.guarded_connector import AddressRefused, guarded_connector
from switch_app.http.public_addresses import Network
from switch_app.http.resolver import ThreadResolver

CONNECT_SECONDS: Final = 10.0
PING_SECONDS: Final = 20.0
"""Between pings; the other side has half of it to answer, or counts as gone."""

CLOSE_SECONDS: Final = 2.0
MESSAGE_MAXIMUM: Final = 4 * 1024 * 1024
"""Bytes of a message: some six minutes of audio."""

_ABNORMAL: Final = 1006

_CLOSED: Final = frozenset(
    {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
)


class WebSocket(Protocol):
    """An open WebSocket."""

    @property
    def close_code(self) -> int | None:
        """Why it was closed (RFC 6455, section 7.4); None as long as it is open."""
        ...

    async def send(self, text: str) -> None:
        """Send a message. It waits while the other side takes nothing.

        Raises:
            ConnectionError: when it is closed.

        """
        ...

    async def receive(self) -> str | None:
        """Return the next message; None when it is closed."""
        ...

    async def close(self) -> None:
        """Close it, and wait a moment for the other side to do the same."""
        ...


class WebSocketClient(Protocol):
    """What opens WebSockets."""

    async def connect(self, url: str, headers: Mapping[str, str]) -> WebSocket:
        """Open one.

        Raises:
            FetchFailed: saying why there is none.

        """
        ...


class PublicWebSockets:
    """Opens WebSockets, with TLS verified, to public addresses. It is made where an event loop runs.

    Args:
        allowed: networks that may be reached although they are not public.
        subprotocol: offered in the handshake; the other side may take none.
        tls: what servers' certificates are checked with; None for the system's authorities.
        seconds: how long opening may take.

    """

    def __init__(
        self,
        allowed: Sequence[Network],
        subprotocol: str,
        tls: ssl.SSLContext | None = None,
        seconds: float = CONNECT_SECONDS,
    ) -> None:
        self._subprotocol, self._tls = subprotocol, tls
        self._resolver = ThreadResolver()
        tracing = aiohttp.TraceConfig()
        tracing.on_request_redirect.append(_refuse_redirect)
        self._session = aiohttp.ClientSession(
            connector=guarded_connector(self._resolver, allowed, 0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=seconds),
            trace_configs=[tracing],
            trust_env=False,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()
        await self._resolver.close()

    async def connect(self, url: str, headers: Mapping[str, str]) -> WebSocket:
        """Open one."""
        target = URL(url)
        shown = target.with_user(None).with_query(None)
        sent = dict(headers)
        if target.user is not None:
            sent["Authorization"] = aiohttp.encode_basic_auth(target.user, target.password or "")
        try:
            socket = await self._session.ws_connect(
                target.with_user(None),
                protocols=(self._subprotocol,),
                headers=sent,
                heartbeat=PING_SECONDS,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
                max_msg_size=MESSAGE_MAXIMUM,
                ssl=self._tls if self._tls is not None else True,
            )
        except TimeoutError:
            raise FetchFailed(f"{shown} is not reached in time") from None
        except aiohttp.WSServerHandshakeError as error:
            raise FetchFailed(f"{shown} answers the handshake with {error.status}: {error.message}") from error
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, AddressRefused):
                raise FetchFailed(f"{shown} {error.os_error}") from None
            raise FetchFailed(f"{shown} is not reached: {type(error).__name__}: {error}") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise FetchFailed(f"{shown} is not reached: {type(error).__name__}: {error}") from error
        return _Socket(socket)


class _Socket:
    def __init__(self, socket: "aiohttp.ClientWebSocketResponse[bool]") -> None:
        self._socket = socket
        # aiohttp's own has a value as soon as somebody who waited for a message is cancelled.
        self.close_code: int | None = None

    async def send(self, text: str) -> None:
        await self._socket.send_str(text)

    async def receive(self) -> str | None:
        message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            text: str = message.data
            return text
        if message.type in _CLOSED:
            self.close_code = self._socket.close_code or _ABNORMAL
            return None
        return ""  # binary: the protocol knows no such message, and an empty one is none either

    async def close(self) -> None:
        await self._socket.close()


async def _refuse_redirect(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, parameters: aiohttp.TraceRequestRedirectParams
) -> None:
    raise FetchFailed(f"{parameters.url.with_user(None).with_query(None)} redirects; a handshake follows no redirect")
