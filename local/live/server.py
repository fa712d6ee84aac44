"""Serves the page and what it shows, on a loopback port."""

import asyncio
import contextlib
import secrets
from pathlib import Path
from typing import Final

from aiohttp import web

from local.live.feed import Feed, Listener
from local.live.guard import HEADERS, HOST, guard
from local.live.model import Model
from local.live.watch import Watch, milliseconds

_PAGE: Final = Path(__file__).parent / "page"
_FILES: Final = {
    "/": ("index.html", "text/html"),
    "/live.css": ("live.css", "text/css"),
    "/live.js": ("live.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_PUBLISH_SECONDS: Final = 0.2
_KEEP_ALIVE_SECONDS: Final = 5.0
_WRITE_SECONDS: Final = 10.0
_LISTENERS_MAXIMUM: Final = 16
_FIRST_READ_SECONDS: Final = 2.0


class LiveServer:
    """The page's server, as a context.

    Args:
        model: what is shown.
        watch: what fills it; None where something else does.
        port: on 127.0.0.1; 0 for one that is free.

    """

    def __init__(self, model: Model, watch: Watch | None, port: int = 0) -> None:
        self._model, self._watch, self._port = model, watch, port
        self._feed = Feed(secrets.token_hex(4), model.snapshot, milliseconds)
        self._tasks: list[asyncio.Task[None]] = []
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self._port}/"

    async def __aenter__(self) -> "LiveServer":
        application = web.Application(middlewares=[guard], client_max_size=1024)
        for path in _FILES:
            application.router.add_get(path, _file, allow_head=False)
        application.router.add_get("/events", self._events, allow_head=False)
        self._runner = web.AppRunner(
            application, access_log=None, handler_cancellation=True, shutdown_timeout=1.0, max_line_size=4096
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        if self._watch is not None:
            self._tasks.append(asyncio.create_task(self._watch.run()))
        self._tasks.append(asyncio.create_task(self._publish()))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._feed.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def wait(self) -> None:
        """Return when following the system has failed, which it never should.

        Raises:
            Exception: what it failed with.

        """
        await asyncio.gather(*self._tasks)

    async def _publish(self) -> None:
        while True:
            patch = self._model.take()
            if patch is not None:
                self._feed.publish(patch)
            await asyncio.sleep(_PUBLISH_SECONDS)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if len(self._feed) >= _LISTENERS_MAXIMUM:
            raise web.HTTPServiceUnavailable(text="too many pages are open\n")
        response = web.StreamResponse(
            headers={**HEADERS, "Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        )
        await response.prepare(request)
        listener = self._feed.join(request.headers.get("Last-Event-ID"))
        try:
            # A browser that cannot keep up, or is gone without a word, is cut off; it comes back by itself.
            with contextlib.suppress(ConnectionError, TimeoutError):
                await _send(response, listener)
        finally:
            self._feed.leave(listener)
            if request.transport is not None:
                request.transport.abort()
        return response


async def _send(response: web.StreamResponse, listener: Listener) -> None:
    await response.write(b"retry: 1000\n\n")
    while True:
        try:
            text = await asyncio.wait_for(listener.queue.get(), _KEEP_ALIVE_SECONDS)
        except TimeoutError:
            text = f'event: beat\ndata: {{"now":{milliseconds()}}}\n\n'
        if text is None:
            return
        async with asyncio.timeout(_WRITE_SECONDS):
            await response.write(text.encode())


async def _file(request: web.Request) -> web.Response:
    name, kind = _FILES[request.path]
    return web.Response(text=(_PAGE / name).read_text(), content_type=kind, charset="utf-8")
