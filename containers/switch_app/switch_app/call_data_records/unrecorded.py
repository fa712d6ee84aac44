"""Writes the records of calls that the media server writes none of, where it writes those of the others.

They are those of calls that no channel was ever made of, and of calls that died with it.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from switch_app.call_data_records.directory import RecordDirectory
from switch_app.call_data_records.document import LostCall, lost_document, unreached_document
from switch_app.counts import Count, uncounted

logger = logging.getLogger(__name__)


class UnrecordedCalls:
    """Records of calls that were never reached, or lost. The sidecar of FreeSWITCH sends them with the others.

    Args:
        directory: where the media server writes its records.
        clock: seconds since the epoch.
        count: counts `CallDataRecordLost`.

    """

    def __init__(self, directory: Path, clock: Callable[[], float] = time.time, count: Count = uncounted) -> None:
        self._directory = RecordDirectory(directory)
        self._clock, self._count = clock, count
        # One thread of its own: a record is written although everything else that may block does.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="call-data-records")
        self._written: set[asyncio.Future[None]] = set()

    async def close(self) -> None:
        """Write what is noted, and end."""
        if self._written:
            await asyncio.wait(self._written)
        self._thread.shutdown()

    def note_unreached(self, call_sid: str, cause: str, sip_status: int | None) -> None:
        """Have a record written for a call that no channel was ever made of. It returns at once."""
        name = str(uuid.uuid4())
        self._write(name, call_sid, unreached_document(name, call_sid, cause, sip_status, int(self._clock())))

    def note_lost(self, call: LostCall) -> None:
        """Have a record written for a call that died with the media server. It returns at once.

        Should the media server have written one all the same, the platform takes one of them: both have the channel's
        identifier.
        """
        self._write(f"{call.uuid}-lost", call.sid, lost_document(call, int(self._clock())))

    def _write(self, name: str, call_sid: str, record: Mapping[str, Mapping[str, str]]) -> None:
        write = partial(self._directory.write, name, record)
        writing = asyncio.ensure_future(asyncio.get_running_loop().run_in_executor(self._thread, write))
        self._written.add(writing)
        writing.add_done_callback(partial(self._was_written, call_sid))

    def _was_written(self, call_sid: str, writing: asyncio.Future[None]) -> None:
        self._written.discard(writing)
        if not writing.cancelled() and (error := writing.exception()) is not None:
            self._count("CallDataRecordLost")
            fields = {"call_sid": call_sid, "reason": str(error)}
            logger.error("a call data record cannot be written", extra=fields)
