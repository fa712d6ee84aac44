"""Delivers recordings: into the bucket first, and then the platform is told."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TypeVar

from switch_app.backoff import Backoff
from switch_app.counts import Count, uncounted
from switch_app.errors import PlatformRefused, PlatformUnavailable
from switch_app.recordings.bucket import UPLOAD_ERRORS, RecordingsBucket
from switch_app.recordings.directory import Delivery, RecordingDirectory
from switch_app.recordings.trim import trim_silence
from switch_app.recordings.wav import NotWav
from switch_app.services import RecordingReference

logger = logging.getLogger(__name__)

T = TypeVar("T")

_GIVE_UP_SECONDS: Final = 24 * 3600.0
_UPLOADS: Final = 2
_BACKOFF: Final = Backoff(first=1.0, longest=60.0)


class _Platform(Protocol):
    async def finish_recording(self, sid: str, raw_recording_url: str, external_id: str) -> RecordingReference:
        """Say where the audio of a recording is."""
        ...


class RecordingSpool:
    """Recordings on their way.

    Args:
        directory: where the media server writes them; on a disk that a new process finds again.
        bucket: where they go.
        platform: what is told.
        backoff: how long to wait after a failure.
        give_up: seconds after which one that cannot be delivered is buried.
        clock: seconds since the epoch.
        count: counts `RecordingDelivered` and `RecordingLost`.

    """

    def __init__(
        self,
        directory: Path,
        bucket: RecordingsBucket,
        platform: _Platform,
        *,
        backoff: Backoff = _BACKOFF,
        give_up: float = _GIVE_UP_SECONDS,
        clock: Callable[[], float] = time.time,
        count: Count = uncounted,
    ) -> None:
        self._directory = RecordingDirectory(directory, clock)
        self._bucket, self._platform = bucket, platform
        self._backoff, self._give_up, self._clock, self._count = backoff, give_up, clock, count
        self._turns = asyncio.Semaphore(_UPLOADS)
        # Files that calls wait for are not looked at behind uploads that take minutes.
        self._file_threads = ThreadPoolExecutor(2, thread_name_prefix="recording-files")
        self._upload_threads = ThreadPoolExecutor(_UPLOADS, thread_name_prefix="recording-uploads")
        self._tasks: set[asyncio.Task[object]] = set()

    async def start(self) -> None:
        """Go on with what an earlier process left."""
        for delivery in await self._with_files(self._directory.left):
            self._begin(delivery)

    async def close(self, seconds: float) -> None:
        """Deliver what waits, as long as there is time, and end; what is left is delivered after the next start."""
        try:
            async with asyncio.timeout(seconds):
                while self._tasks:  # one that is handed over meanwhile is waited for too
                    await asyncio.wait(set(self._tasks))
        except TimeoutError:
            left = set(self._tasks)
            logger.warning("recordings are left for the next start", extra={"recordings": len(left)})
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        self._file_threads.shutdown(wait=False)
        self._upload_threads.shutdown(wait=False, cancel_futures=True)

    def new_path(self, call_uuid: str) -> Path:
        """Return where a recording of a call is to be written: a WAV file that does not exist yet."""
        return self._directory.new_path(call_uuid)

    async def trim(self, path: Path) -> None:
        """Take the silence off both ends of a finished file. One that is no recording is left as it is."""
        try:
            await self._with_files(partial(trim_silence, path))
        except (NotWav, OSError) as error:
            logger.warning("a recording is not trimmed", extra={"file": path.name, "reason": str(error)})

    async def expect(self, path: Path, recording: RecordingReference) -> None:
        """Note which recording a file is going to be, so that it is delivered also when this process ends before it is
        handed over."""
        try:
            await self._with_files(partial(self._directory.expect, path, recording.sid))
        except OSError as error:
            logger.warning("what a recording is to be cannot be noted", extra={"reason": str(error)})

    async def deliver(self, path: Path, recording: RecordingReference) -> float | None:
        """Take over a finished file.

        Returns:
            Its length in seconds; None for a file without audio, which is not delivered.

        """
        # Once it is begun, it is finished: a caller that is cancelled must not leave a file that nobody delivers.
        return await asyncio.shield(self._track(asyncio.create_task(self._accept(path, recording.sid))))

    async def _accept(self, path: Path, sid: str) -> float | None:
        accepted = await self._with_files(partial(self._directory.accept, path, sid))
        if accepted is None:
            return None
        delivery, seconds = accepted
        self._begin(delivery)
        return seconds

    def _begin(self, delivery: Delivery) -> None:
        self._track(asyncio.create_task(self._deliver(delivery)))

    async def _deliver(self, delivery: Delivery) -> None:
        failures = 0
        while True:
            async with self._turns:
                try:
                    if not delivery.is_uploaded:
                        path = self._directory.path / delivery.key
                        await self._upload(path, delivery.key)
                        delivery = await self._with_files(partial(self._directory.uploaded, delivery))
                    url = self._bucket.url(delivery.key)
                    await self._platform.finish_recording(delivery.sid, url, delivery.external_id)
                except (PlatformRefused, FileNotFoundError) as error:
                    await self._bury(delivery, str(error))
                    return
                except (PlatformUnavailable, OSError, *UPLOAD_ERRORS) as error:
                    failures += 1
                    reason = f"{type(error).__name__}: {error}"
                else:
                    break
            if self._clock() - delivery.handed_over > self._give_up:
                await self._bury(delivery, reason)
                return
            fields = {"recording_sid": delivery.sid, "failures": failures, "reason": reason}
            logger.warning("a recording waits", extra=fields)
            await asyncio.sleep(self._backoff.seconds(failures))
        await self._with_files(partial(self._directory.done, delivery))
        self._count("RecordingDelivered")

    async def _upload(self, path: Path, key: str) -> None:
        if not await self._with_files(path.exists):
            raise FileNotFoundError(f"the file {path.name} is gone")
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._upload_threads, self._bucket.upload, path, key)

    async def _bury(self, delivery: Delivery, reason: str) -> None:
        self._count("RecordingLost")
        fields = {"recording_sid": delivery.sid, "file": delivery.key, "reason": reason}
        logger.error("a recording cannot be delivered", extra=fields)
        await self._with_files(partial(self._directory.bury, delivery))

    def _track(self, task: asyncio.Task[T]) -> asyncio.Task[T]:
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._count("RecordingLost")
            logger.error("a recording is left for the next start", exc_info=error)

    async def _with_files(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._file_threads, function)
