"""The media streams of one call: what verbs begin and stop, from the announcement at the platform to the last event."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from yarl import URL

from switch_app.call import Call, Media, Track
from switch_app.call_properties import CallProperties
from switch_app.counts import Count, uncounted
from switch_app.errors import CallEnded, FetchFailed, MediaServerError, PlatformRefused, PlatformUnavailable
from switch_app.media_streams.conversation import Conversation, StreamLimits
from switch_app.media_streams.messages import Outgoing, StreamIdentity
from switch_app.media_streams.status_callbacks import ERROR, STARTED, STOPPED, StatusCallbacks
from switch_app.media_streams.web_sockets import CLOSE_SECONDS, WebSocket, WebSocketClient
from switch_app.services import Begin, Documents, StreamRequest
from switch_app.signature import sign

logger = logging.getLogger(__name__)

TRACKS_MAXIMUM: Final = 4
"""Tracks that are streamed one way at once, a call: Twilio's limit."""

_NORMAL: Final = 1000


class StreamRegister(Protocol):
    """Where the platform is told of media streams."""

    async def create_media_stream(
        self, call_sid: str, url: str, tracks: str, custom_parameters: Mapping[str, str]
    ) -> str:
        """Announce one and return its sid.

        Raises:
            PlatformRefused, PlatformUnavailable: when there is none.

        """
        ...

    def note_media_stream_event(self, stream_sid: str, kind: str, details: Mapping[str, Any]) -> None:
        """Tell what happened to one. It returns at once."""
        ...


@dataclass(eq=False, slots=True)
class _Stream:
    """A stream from the moment that a verb wants it.

    Attributes:
        request: what it is to be.
        call: whose.
        attach: has the call's audio go through a conversation, as a context.
        stop: set when it is to end.
        released: set when the call's audio is the call's again.

    """

    request: StreamRequest
    call: Call
    attach: Callable[[Conversation], AbstractAsyncContextManager[object]]
    callbacks: StatusCallbacks
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)


class CallStreams:
    """One call's streams; see `switch_app.services.MediaStreams`.

    Args:
        properties: what the platform says of the call.
        register: where streams are told.
        documents: the customer's server.
        sockets: opens WebSockets.
        limits: what waits at most, a stream.
        insecure: whether `ws` is taken beside `wss`.
        count: counts `MediaStreamStarted`, `MediaStreamFailed` and `MediaStreamOverflow`.

    """

    def __init__(
        self,
        properties: CallProperties,
        register: StreamRegister,
        documents: Documents,
        sockets: WebSocketClient,
        limits: StreamLimits,
        *,
        insecure: bool = False,
        count: Count = uncounted,
    ) -> None:
        self._properties, self._register, self._documents = properties, register, documents
        self._sockets, self._limits, self._insecure, self._count = sockets, limits, insecure, count
        self._started: list[_Stream] = []

    def allows(self, url: str) -> bool:
        """Whether a stream may go to a URL by its scheme."""
        return URL(url).scheme == "wss" or self._insecure

    async def connect(self, call: Call, request: StreamRequest, begin: Begin) -> None:
        """Hand the call's audio over to a WebSocket."""
        stream = self._stream(call, request, lambda conversation: _taken_over(call, conversation))
        begin(self._run(stream))
        try:
            await stream.released.wait()
        finally:
            stream.stop.set()
            await _for_certain(stream.released)

    def start(self, call: Call, request: StreamRequest, begin: Begin) -> None:
        """Begin to send the call's audio to a WebSocket."""
        stream = self._stream(call, request, lambda conversation: call.tap(request.tracks, conversation.hear))
        problem = self._problem(request)
        if problem:
            logger.warning("media stream is not started", extra={"call_sid": self._properties.sid, "reason": problem})
            self._count("MediaStreamFailed")
            begin(stream.callbacks.tell(self._identity(""), ERROR, problem))
            return
        self._started.append(stream)
        begin(self._run(stream)).add_done_callback(lambda _: self._forget(stream))

    def stop(self, name: str) -> bool:
        """End a stream that was started."""
        found = [stream for stream in self._started if stream.request.name == name]
        for stream in found:
            stream.stop.set()
            self._forget(stream)
        return bool(found)

    # --- within

    def _stream(
        self,
        call: Call,
        request: StreamRequest,
        attach: Callable[[Conversation], AbstractAsyncContextManager[object]],
    ) -> _Stream:
        return _Stream(request, call, attach, StatusCallbacks(self._documents, request))

    def _problem(self, request: StreamRequest) -> str:
        if request.name and any(stream.request.name == request.name for stream in self._started):
            return f"there is a stream of the name {request.name!r} already"
        tracks = sum(len(stream.request.tracks) for stream in self._started) + len(request.tracks)
        return f"a call has at most {TRACKS_MAXIMUM} tracks streamed at once" if tracks > TRACKS_MAXIMUM else ""

    def _forget(self, stream: _Stream) -> None:
        if stream in self._started:
            self._started.remove(stream)

    def _identity(self, stream_sid: str) -> StreamIdentity:
        return StreamIdentity(self._properties.account_sid, self._properties.sid, stream_sid)

    async def _run(self, stream: _Stream) -> None:
        over = asyncio.ensure_future(_either(stream.stop.wait(), stream.call.wait_until_ended()))
        try:
            sid = await self._announce(stream, over)
            if sid is not None:
                await self._serve(stream, sid, over)
        finally:
            stream.released.set()
            over.cancel()

    async def _announce(self, stream: _Stream, over: "asyncio.Future[None]") -> str | None:
        """Make it at the platform; None when there is none. A call is worth more than its stream: it goes on."""
        request = stream.request
        tracks = request.tracks[0].value if len(request.tracks) == 1 else "both"
        creating = asyncio.ensure_future(
            self._register.create_media_stream(self._properties.sid, request.url, tracks, request.parameters)
        )
        first: list[asyncio.Future[Any]] = [creating, over]
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if not creating.done():
            stream.released.set()  # the call need not wait for what it does not want any more
        try:
            return await creating
        except (PlatformRefused, PlatformUnavailable) as error:
            fields = {"call_sid": self._properties.sid, "reason": str(error)}
            logger.warning("the platform takes no media stream", extra=fields)
            self._count("MediaStreamFailed")
            stream.released.set()
            await stream.callbacks.tell(self._identity(""), ERROR, "the stream cannot be made")
            return None

    async def _serve(self, stream: _Stream, sid: str, over: "asyncio.Future[None]") -> None:
        identity = self._identity(sid)
        socket = await self._connect(stream, identity, over)
        if socket is None:
            return
        self._note(sid, "connect")
        self._count("MediaStreamStarted")
        outgoing = Outgoing(identity, stream.request.tracks, stream.request.parameters)

        def report(kind: str, details: Mapping[str, Any]) -> None:
            self._note(sid, kind, details)

        conversation = Conversation(socket, outgoing, sid, self._limits, report, self._count)
        telling = asyncio.ensure_future(stream.callbacks.tell(identity, STARTED))
        problem = ""
        try:
            async with stream.attach(conversation):
                await _either(conversation.run(), asyncio.shield(over))
        except CallEnded:
            pass  # it ends the stream, as it is
        except MediaServerError as error:
            problem = "the call has no audio for it"
            fields = {"call_sid": identity.call_sid, "stream_sid": sid, "reason": str(error)}
            logger.warning("media stream fails", extra=fields)
            self._note(sid, "error", {"message": problem})
            self._count("MediaStreamFailed")
        finally:
            stream.released.set()
        code = socket.close_code
        await conversation.finish(CLOSE_SECONDS)
        self._note(sid, "disconnect", {"code": code or _NORMAL})
        await telling
        if problem or (code is not None and code not in (_NORMAL, 1001, 1005)):
            await stream.callbacks.tell(identity, ERROR, problem or f"the WebSocket was closed with {code}")
        await stream.callbacks.tell(identity, STOPPED)

    async def _connect(
        self, stream: _Stream, identity: StreamIdentity, over: "asyncio.Future[None]"
    ) -> WebSocket | None:
        """Open the WebSocket. As with Twilio, it is tried once, and one that is lost is not opened again."""
        url = stream.request.url
        # The server cannot see the credentials in a URL, nor check a signature that was made with them.
        signature = sign(self._properties.account_auth_token, str(URL(url).with_user(None)))
        connecting = asyncio.ensure_future(self._sockets.connect(url, {"X-Twilio-Signature": signature}))
        reason = "the call wants it no more"
        try:
            first: list[asyncio.Future[Any]] = [connecting, over]
            if not over.done():
                await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        finally:
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)
        if not connecting.cancelled():
            error = connecting.exception()
            if error is None:
                return connecting.result()
            if not isinstance(error, FetchFailed):
                raise error
            reason = str(error)
        self._note(identity.stream_sid, "connect_failed", {"message": reason})
        self._count("MediaStreamFailed")
        fields = {"call_sid": identity.call_sid, "stream_sid": identity.stream_sid, "reason": reason}
        logger.warning("media stream is not connected", extra=fields)
        stream.released.set()
        await stream.callbacks.tell(identity, ERROR, reason)
        return None

    def _note(self, sid: str, kind: str, details: Mapping[str, Any] | None = None) -> None:
        if kind == "buffer_overrun":
            fields = {"call_sid": self._properties.sid, "stream_sid": sid, **(details or {})}
            logger.warning("media stream drops audio", extra=fields)
        self._register.note_media_stream_event(sid, kind, details or {})


@contextlib.asynccontextmanager
async def _taken_over(call: Call, conversation: Conversation) -> Any:
    """Have a call's audio, both ways, and its keys go through a conversation."""
    # What was pressed for something else is none of it.
    call.discard_digits()

    def hear(frame: bytes) -> None:
        conversation.hear(Track.INBOUND, frame)

    media: Media
    async with call.media(hear, conversation.speak) as media:
        conversation.wake = media.wake
        pressing = asyncio.ensure_future(_press(call, conversation))
        try:
            yield
        finally:
            pressing.cancel()
            await asyncio.gather(pressing, return_exceptions=True)


async def _press(call: Call, conversation: Conversation) -> None:
    with contextlib.suppress(CallEnded):
        while True:
            digit = await call.next_digit(None)
            if digit is not None:
                conversation.press(digit)


async def _either(*works: Any) -> None:
    """Wait until one of several is done; end the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done() and not task.cancelled():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _for_certain(event: asyncio.Event) -> None:
    """Wait for an event that is about to come, also when whoever waits is cancelled, and again."""
    cancelled = False
    while not event.is_set():
        try:
            await event.wait()
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
