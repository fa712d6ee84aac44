"""Writes the records of calls that the media server writes none of, where it writes those of the others.

They are those of calls that no channel was ever made of, and of calls that died with it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from switch_app.call_data_records.directory import RecordDirectory
from switch_app.call_data_records.document import (
    LostCall,
    NotWhole,
    counts,
    lost_document,
    parse_document,
    unreached_document,
)
from switch_app.call_data_records.owed import OwedCall, OwedRecords, channel_of
from switch_app.counts import Count, uncounted

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

_NEVER_DIALLED: Final = ("NORMAL_TEMPORARY_FAILURE", 503)


class UnrecordedCalls:
    """Records of calls that were never reached, or lost. The sidecar of FreeSWITCH sends them with the others.

    Args:
        directory: where the media server writes its records.
        clock: seconds since the epoch.
        count: counts `CallDataRecordLost`.

    """

    def __init__(self, directory: Path, clock: Callable[[], float] = time.time, count: Count = uncounted) -> None:
        self._directory, self._owed = RecordDirectory(directory), OwedRecords(directory)
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
        name = channel_of(call_sid)
        record = unreached_document(name, call_sid, cause, sip_status, int(self._clock()))
        self._begin(call_sid, partial(self._write, name, record))

    def note_lost(self, call: LostCall) -> None:
        """Have a record written for a call that died with the media server. It returns at once.

        Should the media server have written one all the same, that stands. Where it has been sent and is no more on the
        disk, whoever sent it sends no second one.
        """
        self._begin(call.sid, partial(self._write, call.uuid, lost_document(call, int(self._clock()))))

    async def note_owed(self, call_sids: Sequence[str]) -> None:
        """Note calls that the platform has made, so that each gets a record also when this process ends before it is
        dialled. It returns when they are on the disk."""
        calls = [OwedCall(sid, int(self._clock())) for sid in call_sids]
        try:
            await self._in_thread(partial(self._owed.note, calls))
        except OSError as error:
            logger.error("calls cannot be noted", extra={"call_sids": call_sids, "reason": str(error)})  # noqa: TRY400

    def left(self) -> Sequence[OwedCall]:
        """Return the calls that are owed a record from an earlier process, as a blocking call, before others are."""
        return self._owed.left()

    async def write_owed(self, call: OwedCall) -> None:
        """Write the record of a call that an earlier process left, if there is none and none has been sent. It must be
        certain that the media server will write none."""
        try:
            is_written = await self._in_thread(partial(self._write_owed, call))
        except OSError as error:  # it is tried again at the next start
            self._count("CallDataRecordLost")
            fields = {"call_sid": call.sid, "reason": str(error)}
            logger.error("a call data record cannot be written", extra=fields)  # noqa: TRY400
            return
        if is_written:
            logger.warning("call was never dialled, or died unrecorded", extra={"call_sid": call.sid})

    def _write_owed(self, call: OwedCall) -> bool:
        # Once a record is sent, its note goes first: where there is neither, there is nothing to do.
        if self._is_written(call.channel) or not self._owed.is_owed(call):
            return False
        record = unreached_document(call.channel, call.sid, *_NEVER_DIALLED, int(self._clock()))
        self._directory.write(call.channel, record)
        return True

    def _write(self, name: str, record: Mapping[str, Mapping[str, str]]) -> None:
        """Write a record, unless there is one; what the media server only began to write is replaced."""
        if not self._is_written(name):
            self._directory.write(name, record)

    def _is_written(self, name: str) -> bool:
        try:
            return counts(parse_document(self._directory.read_named(name)))
        except (FileNotFoundError, NotWhole):
            return False

    async def _in_thread(self, function: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

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
