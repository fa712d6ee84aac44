"""Sends the records in a directory to the platform."""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from switch_app.backoff import Backoff
from switch_app.call_data_records import document as documents
from switch_app.call_data_records.directory import SIZE_MAXIMUM, RecordDirectory, RecordFile
from switch_app.counts import Count, uncounted
from switch_app.errors import PlatformRefused, PlatformUnavailable

logger = logging.getLogger(__name__)

T = TypeVar("T")

_FILES_A_SCAN: Final = 100
_AT_ONCE: Final = 4
_PAUSE_SECONDS: Final = 0.5
_WRITING_SECONDS: Final = 60.0
_ATTEMPTS: Final = 10
_FAILED_MAXIMUM: Final = 10_000
_BACKOFF: Final = Backoff(first=1.0, longest=30.0)


class _Platform(Protocol):
    async def send_call_data_record(self, document: str) -> None:
        """Send a record."""
        ...


class CallDataRecordSpool:
    """Records on their way: the media server's, and those of calls that it made no channel of.

    A file is removed once the platform has it, or when its leg does not count. One that is being written is left until
    it is whole; one that never gets whole, or that the platform refuses, is set aside.

    Args:
        directory: where the media server writes its records.
        platform: what sends.
        pause: seconds between two looks at the directory.
        writing: seconds after which a file that is not whole is not being written any more.
        backoff: how long to wait when the platform does not listen.
        clock: seconds since the epoch.
        count: counts `CallDataRecordSent` and `CallDataRecordSetAside`.

    """

    def __init__(
        self,
        directory: Path,
        platform: _Platform,
        *,
        pause: float = _PAUSE_SECONDS,
        writing: float = _WRITING_SECONDS,
        backoff: Backoff = _BACKOFF,
        clock: Callable[[], float] = time.time,
        count: Count = uncounted,
    ) -> None:
        self._directory = RecordDirectory(directory)
        self._platform = platform
        self._pause, self._writing, self._backoff = pause, writing, backoff
        self._clock, self._count = clock, count
        # One thread of its own: a record of ours is written although everything else that may block does.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="call-data-records")
        self._written: set[asyncio.Future[None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._failures = 0
        self._failed: dict[str, int] = {}

    def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._run())

    async def close(self, seconds: float = 5.0) -> None:
        """Write what is noted, send what is there as long as there is time, and end; what is left is there at the next
        start."""
        if self._written:
            await asyncio.wait(self._written)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            # The media server writes the record of a call a moment after the call was said to be over.
            await asyncio.sleep(self._pause)
            try:
                async with asyncio.timeout(seconds):
                    while await self.scan():
                        pass
            except (TimeoutError, OSError) as error:
                reason = f"{type(error).__name__}: {error}"
                logger.warning("call data records are left for the next start", extra={"reason": reason})
        self._thread.shutdown()

    def note_unreached(self, call_sid: str, cause: str, sip_status: int | None) -> None:
        """Have a record written for a call that no channel was ever made of. It returns at once."""
        name = str(uuid.uuid4())
        record = documents.unreached_document(name, call_sid, cause, sip_status, int(self._clock()))
        writing = asyncio.ensure_future(self._in_thread(partial(self._directory.write, name, record)))
        self._written.add(writing)
        writing.add_done_callback(partial(self._was_written, call_sid))

    async def scan(self) -> int:
        """Deal with the oldest files; return how many may be left to deal with at once.

        When the platform does not listen, the rest waits.
        """
        files = await self._in_thread(partial(self._directory.next, _FILES_A_SCAN, dict(self._failed)))
        dealt_with = 0
        for begin in range(0, len(files), _AT_ONCE):
            batch = files[begin : begin + _AT_ONCE]
            results = await asyncio.gather(*(self._deal_with(file) for file in batch))
            dealt_with += results.count(True)
            for file in (file for file, result in zip(batch, results, strict=True) if result is None):
                await self._failed_again(file, platform_listens=True in results)
            if None in results and True not in results:
                self._failures += 1
                return 0
        self._failures = 0
        return dealt_with if len(files) == _FILES_A_SCAN else 0

    async def _run(self) -> None:
        while True:
            try:
                is_more = await self.scan()
            except OSError:
                logger.exception("the directory of call data records cannot be read")
                self._failures += 1
                is_more = 0
            if not is_more:
                await asyncio.sleep(self._backoff.seconds(self._failures) if self._failures else self._pause)

    async def _failed_again(self, file: RecordFile, *, platform_listens: bool) -> None:
        """Remember that the platform did not take a file; give it up when it takes others time and again."""
        name = file.path.name
        if len(self._failed) >= _FAILED_MAXIMUM:
            self._failed.clear()
        self._failed[name] = self._failed.get(name, 0) + 1
        if platform_listens and self._failed[name] >= _ATTEMPTS:
            await self._set_aside(file, f"the platform fails on it, {_ATTEMPTS} times, and takes others")

    async def _deal_with(self, file: RecordFile) -> bool | None:
        """Deal with a file; return whether that is done, and None when the platform does not listen."""
        if file.size > SIZE_MAXIMUM:
            return await self._set_aside(file, f"it has {file.size} bytes")
        try:
            document = documents.parse_document(await self._in_thread(partial(self._directory.read, file)))
        except FileNotFoundError:
            return True
        except documents.NotWhole as error:
            if self._clock() - file.modified < self._writing:
                return False
            return await self._set_aside(file, f"it is no record: {error}")
        if documents.counts(document):
            try:
                await self._platform.send_call_data_record(documents.write_document(document))
            except PlatformRefused as error:
                return await self._set_aside(file, f"the platform refuses it: {error}")
            except PlatformUnavailable as error:
                logger.warning("a call data record waits", extra={"file": file.path.name, "reason": str(error)})
                return None
            self._count("CallDataRecordSent")
        await self._in_thread(partial(self._directory.remove, file))
        self._failed.pop(file.path.name, None)
        return True

    async def _set_aside(self, file: RecordFile, reason: str) -> bool:
        self._count("CallDataRecordSetAside")
        logger.error("a call data record is set aside", extra={"file": file.path.name, "reason": reason})
        await self._in_thread(partial(self._directory.set_aside, file))
        self._failed.pop(file.path.name, None)
        return True

    def _was_written(self, call_sid: str, writing: asyncio.Future[None]) -> None:
        self._written.discard(writing)
        if not writing.cancelled() and (error := writing.exception()) is not None:
            self._count("CallDataRecordSetAside")
            fields = {"call_sid": call_sid, "reason": str(error)}
            logger.error("a call data record cannot be written", extra=fields)

    async def _in_thread(self, function: Callable[[], T]) -> T:
        running: Awaitable[Any] = asyncio.get_running_loop().run_in_executor(self._thread, function)
        result: T = await running
        return result
