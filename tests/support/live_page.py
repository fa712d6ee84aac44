"""The live page in a browser: its server in a thread, with rows that a test puts there, and the machine's Chromium."""

import asyncio
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from playwright.sync_api import Browser, sync_playwright

from local.live.model import Model
from local.live.rows import Row
from local.live.server import LiveServer

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BINARY = os.environ.get("CHROMIUM") or next((found for name in NAMES if (found := shutil.which(name))), None)
MISSING = "no program 'chromium' (or google-chrome) is on the PATH, and CHROMIUM does not name one"


class ServedPage:
    """The page's server, as a context; it can be stopped and started again on its port."""

    def __init__(self) -> None:
        self.model = Model()
        self.url = ""
        self._port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._told = asyncio.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve; return once it does."""
        served = threading.Event()
        self._told = asyncio.Event()

        async def serve() -> None:
            async with LiveServer(self.model, None, self._port) as server:
                self._loop, self.url = asyncio.get_running_loop(), server.url
                self._port = int(server.url.rsplit(":", 1)[1].strip("/"))
                served.set()
                await self._told.wait()

        self._thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        self._thread.start()
        assert served.wait(10)

    def stop(self) -> None:
        """Serve no more."""
        if self._thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._told.set)
            self._thread.join(10)
            assert not self._thread.is_alive()
            self._thread = None

    def put(self, **rows: Row) -> None:
        """Have rows, by their keys."""
        self._do(lambda: [self.model.put(key, row) for key, row in rows.items()])

    def remove(self, kind: type[Row], key: str) -> None:
        """Have a row no more."""
        self._do(lambda: self.model.remove(kind, key))

    def clear(self) -> None:
        """Have no row at all."""
        self._do(lambda: [self.model.replace(kind, {}) for kind in self.model.kinds])

    def _do(self, what: object) -> None:
        assert callable(what)
        if self._thread is None or self._loop is None:
            what()
            return
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (what(), done.set()))
        assert done.wait(10)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser."""
    # As root there is no sandbox to be had; what is shown is our own.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BINARY, args=arguments)
        try:
            yield browser
        finally:
            browser.close()
