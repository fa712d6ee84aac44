"""Writes the records of calls that the media server writes none of, where it writes those of the others.

They are those of calls that no channel was ever made of, and of calls that died with it.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from switch_app.call_data_records.directory import RecordDirectory
from switch_app.call_data_records.document import (
    LostCall,
    NotWhole,
    counts,
    lost_document,
    parse_document,
    unreached_document,
)
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
        record = unreached_document(name, call_sid, cause, sip_status, int(self._clock()))
        self._begin(call_sid, partial(self._directory.write, name, record))

    def note_lost(self, call: LostCall) -> None:
        """Have a record written for a call that died with the media server. It returns at once.

        Should the media server have written one all the same, that stands. Where it has been sent and is no more on the
        disk, whoever sent it sends no second one.
        """
        self._begin(call.sid, partial(self._write_lost, call, int(self._clock())))

    def _write_lost(self, call: LostCall, epoch: int) -> None:
        """Write a record where the media server would have, unless it has; what it only began to write is replaced."""
        try:
            if counts(parse_document(self._directory.read_named(call.uuid))):
                return
        except (FileNotFoundError, NotWhole):
            pass
        self._directory.write(call.uuid, lost_document(call, epoch))

    def _begin(self, call_sid: str, write: Callable[[], None]) -> None:
        writing = asyncio.ensure_future(asyncio.get_running_loop().run_in_executor(self._thread, write))
        self._written.add(writing)
        writing.add_done_callback(partial(self._was_written, call_sid))

    def _was_written(self, call_sid: str, writing: asyncio.Future[None]) -> None:
        self._written.discard(writing)
        if not writing.cancelled() and (error := writing.exception()) is not None:
            self._count("CallDataRecordLost")
            fields = {"call_sid": call_sid, "reason": str(error)}
            logger.error("a call data record cannot be written", extra=fields)
