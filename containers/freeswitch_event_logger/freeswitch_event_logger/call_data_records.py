"""Sends the records in a directory to the platform."""

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from switch_app.backoff import Backoff
from switch_app.call_data_records import document as documents
from switch_app.call_data_records.directory import SIZE_MAXIMUM, RecordDirectory, RecordFile, Waiting
from switch_app.call_data_records.owed import OwedRecords
from switch_app.counts import Count, uncounted
from switch_app.errors import PlatformRefused, PlatformUnavailable

logger = logging.getLogger(__name__)

T = TypeVar("T")

_FILES_A_SCAN: Final = 100
_AT_ONCE: Final = 4
"""Records under way at a time: one after the other, a switch far from the platform would fall behind its calls."""

_PAUSE_SECONDS: Final = 0.5
_WRITING_SECONDS: Final = 60.0
_ROUNDS: Final = 3
"""Attempts at the oldest record until it is asked whether the platform fails on this one only."""

_ATTEMPTS: Final = 10
_SUSPECTS_MAXIMUM: Final = 10_000
_CALLS_REMEMBERED: Final = 10_000
_BACKOFF: Final = Backoff(first=1.0, longest=30.0)


class _Platform(Protocol):
    async def send_call_data_record(self, document: str) -> None:
        """Send a record."""
        ...


class _Outcome(Enum):
    ANSWERED = auto()
    """The platform took it, or refused it: it listens."""
    SETTLED = auto()
    """It did not concern the platform."""
    LEFT = auto()
    """It is not whole yet."""
    FAILED = auto()
    """The platform does not listen, or fails on it."""


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A record that stands back: the platform failed on it and then took another, or the disk does not let us have it.

    Attributes:
        failures: how often.
        not_before: when it is tried again, seconds since the epoch.
        answers: how many others the platform had answered by then.

    """

    failures: int
    not_before: float
    answers: int


class CallDataRecords:
    """Records on their way: the media server's, and the app's of calls that it made no channel of.

    The oldest goes first, four at a time at most. A file is removed once the platform has it, or when its leg does not
    count. One that is being written is left until it is whole; one that never gets whole, or that the platform refuses,
    is set aside. While the platform does not listen all wait in their order, and one at a time is tried; only a record
    that it fails on while it takes others has to stand back, and is set aside in the end.

    A call has one record. Where the media server died just after it had written one, the app, which cannot know, writes
    another: that is removed.

    Args:
        directory: where the media server writes its records.
        platform: what sends.
        pause: seconds between two looks at the directory.
        writing: seconds after which a file that is not whole is not being written any more.
        backoff: how long to wait when the platform does not listen, and how long a record stands back.
        clock: seconds since the epoch.
        count: counts `CallDataRecordSent` and `CallDataRecordSetAside`.

    Attributes:
        problem: why the last attempt failed; None when it did not.

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
        self._directory, self._owed = RecordDirectory(directory), OwedRecords(directory)
        self._platform = platform
        self._pause, self._writing, self._backoff = pause, writing, backoff
        self._clock, self._count = clock, count
        # One thread of its own: files are dealt with although everything else that may block does.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="call-data-records")
        self._failures = 0
        self._answers = 0
        self._suspects: dict[str, _Suspect] = {}
        self._sent: dict[str, str] = {}  # call sids, by file
        self._recorded: OrderedDict[str, None] = OrderedDict()
        self._under_way: set[str] = set()
        self._waiting = Waiting((), 0, None)
        self.problem: str | None = None

    @property
    def waiting(self) -> int:
        """How many files there were at the last look."""
        return self._waiting.count

    @property
    def age(self) -> float:
        """Seconds since the oldest file of the last look was written; 0 when there was none."""
        return 0.0 if self._waiting.oldest is None else max(0.0, self._clock() - self._waiting.oldest)

    async def run(self) -> None:
        """Send what there is and what comes, until this is cancelled."""
        while True:
            try:
                is_more = await self.scan()
            except OSError as error:
                logger.exception("the directory of call data records cannot be read")
                self.problem = str(error)
                self._failures += 1
                is_more = False
            if not is_more:
                await asyncio.sleep(self._backoff.seconds(self._failures) if self._failures else self._pause)

    async def close(self) -> None:
        """Let go of the directory; what is there waits for the next start."""
        await asyncio.to_thread(self._thread.shutdown)

    async def is_empty(self) -> bool:
        """Look whether nothing waits."""
        self._waiting = await self._in_thread(partial(self._directory.look, 0, {}))
        return self._waiting.count == 0

    async def scan(self) -> bool:
        """Deal with the oldest files; return whether there may be more to deal with at once.

        Raises:
            OSError: when the directory cannot be read.

        """
        now = self._clock()
        failures = {name: suspect.failures for name, suspect in self._suspects.items()}
        resting = {name for name, suspect in self._suspects.items() if suspect.not_before > now}
        self._waiting = await self._in_thread(partial(self._directory.look, _FILES_A_SCAN, failures, resting))
        files, is_full = deque(self._waiting.files), len(self._waiting.files) == _FILES_A_SCAN
        if self._waiting.count == 0:
            self._failures, self.problem = 0, None
        is_progress = False
        while files:
            # After a failure one at a time: the oldest tells whether the platform is back.
            batch = [files.popleft() for _ in range(min(len(files), 1 if self._failures else _AT_ONCE))]
            outcomes = await asyncio.gather(*(self._deal_with(file) for file in batch))
            is_progress = is_progress or _Outcome.ANSWERED in outcomes or _Outcome.SETTLED in outcomes
            failed = [file for file, outcome in zip(batch, outcomes, strict=True) if outcome is _Outcome.FAILED]
            trusted = [file for file in failed if not self._fails_again(file)]
            if trusted:
                self._failures += 1
                if self._failures < _ROUNDS or not await self._is_to_blame(trusted[0], files):
                    return False
            if trusted or _Outcome.ANSWERED in outcomes:
                self._failures, self.problem = 0, None
        return is_full and is_progress

    async def _is_to_blame(self, file: RecordFile, others: deque[RecordFile]) -> bool:
        """Find out whether the platform fails on a file and takes another; it stands back then."""
        if not others:
            return False
        # The newest, or any: the others may be such files, too.
        other = others[-1] if self._failures % 2 else others[self._failures % len(others)]
        if await self._deal_with(other) is not _Outcome.ANSWERED:
            return False
        if await self._deal_with(file) is _Outcome.FAILED:
            if len(self._suspects) >= _SUSPECTS_MAXIMUM:
                self._suspects.clear()
            self._suspects[file.path.name] = _Suspect(1, self._clock() + self._backoff.seconds(1), self._answers)
        return True

    def _fails_again(self, file: RecordFile) -> bool:
        """Note that a file failed that stood back before; return whether it is one."""
        suspect = self._suspects.get(file.path.name)
        if suspect is None:
            return False
        # It is the file's fault only when others were taken meanwhile.
        failures = suspect.failures + (self._answers > suspect.answers)
        not_before = self._clock() + self._backoff.seconds(failures)
        self._suspects[file.path.name] = _Suspect(failures, not_before, self._answers)
        return True

    async def _deal_with(self, file: RecordFile) -> _Outcome:
        if file.size > SIZE_MAXIMUM:
            return await self._set_aside(file, f"it has {file.size} bytes")
        suspect = self._suspects.get(file.path.name)
        if suspect is not None and suspect.failures >= _ATTEMPTS:
            return await self._set_aside(file, f"the platform failed on it {_ATTEMPTS} times, and took others")
        if file.path.name in self._sent:
            await self._remove(file, self._sent[file.path.name])
            return _Outcome.LEFT
        try:
            document = documents.parse_document(await self._in_thread(partial(self._directory.read, file)))
        except FileNotFoundError:
            return _Outcome.SETTLED
        except OSError as error:
            self._stand_back(file, f"it cannot be read: {error}")
            return _Outcome.LEFT
        except documents.NotWhole as error:
            if self._clock() - file.modified < self._writing:
                return _Outcome.LEFT
            return await self._set_aside(file, f"it is no record: {error}")
        if not documents.counts(document):
            await self._remove(file)
            return _Outcome.SETTLED
        sid = documents.call_sid_of(document)
        if sid in self._under_way:
            return _Outcome.LEFT
        if sid in self._recorded:
            logger.info("a second call data record is not sent", extra={"call_sid": sid, "file": file.path.name})
            await self._remove(file, sid)
            return _Outcome.SETTLED
        if sid:
            self._under_way.add(sid)
        try:
            return await self._send(file, document, sid)
        finally:
            self._under_way.discard(sid)

    async def _send(self, file: RecordFile, document: Mapping[str, Any], sid: str) -> _Outcome:
        try:
            text = documents.write_document(document)
        except ValueError as error:  # a number beyond all bounds
            return await self._set_aside(file, f"it cannot be sent: {error}")
        try:
            await self._platform.send_call_data_record(text)
        except PlatformRefused as error:
            self._answers += 1
            if sid:
                await self._settle(file, sid)
            await self._set_aside(file, f"the platform refuses it: {error}")
            return _Outcome.ANSWERED
        except PlatformUnavailable as error:
            self.problem = str(error)
            logger.warning("a call data record waits", extra={"file": file.path.name, "reason": str(error)})
            return _Outcome.FAILED
        self._answers += 1
        self._count("CallDataRecordSent")
        self._remember(sid)
        await self._remove(file, sid)
        return _Outcome.ANSWERED

    def _remember(self, sid: str) -> None:
        """Note that a call has its record; the calls that have it for longest are forgotten."""
        if sid:
            self._recorded[sid] = None
            if len(self._recorded) > _CALLS_REMEMBERED:
                self._recorded.popitem(last=False)

    async def _remove(self, file: RecordFile, sid: str = "") -> None:
        """Remove a file that is dealt with; when that fails it is not sent again, but removed later.

        Args:
            file: the file.
            sid: the call that has its record now; empty for none.

        """

        def remove() -> None:
            # In this order: while a call is owed a record, the app looks whether there is one.
            if sid:
                self._owed.settle(sid)
            self._directory.remove(file)

        try:
            await self._in_thread(remove)
        except OSError as error:
            self._sent[file.path.name] = sid
            self._stand_back(file, f"it cannot be removed: {error}")
            return
        self._sent.pop(file.path.name, None)
        self._suspects.pop(file.path.name, None)

    async def _settle(self, file: RecordFile, sid: str) -> None:
        """Note that a call is owed nothing any more, although the platform does not want its record."""
        try:
            await self._in_thread(partial(self._owed.settle, sid))
        except OSError as error:
            fields = {"call_sid": sid, "file": file.path.name, "reason": str(error)}
            logger.error("a call cannot be settled", extra=fields)  # noqa: TRY400 - the reason is all there is

    def _stand_back(self, file: RecordFile, reason: str) -> None:
        """Leave a file alone for a while that the disk does not let us deal with, and go on with the others."""
        self._suspects[file.path.name] = _Suspect(1, self._clock() + self._backoff.longest, self._answers)
        logger.error("a call data record is left", extra={"file": file.path.name, "reason": reason})

    async def _set_aside(self, file: RecordFile, reason: str) -> _Outcome:
        self._count("CallDataRecordSetAside")
        logger.error("a call data record is set aside", extra={"file": file.path.name, "reason": reason})
        with contextlib.suppress(FileNotFoundError):  # another process of this directory dealt with it
            await self._in_thread(partial(self._directory.set_aside, file))
        self._suspects.pop(file.path.name, None)
        return _Outcome.SETTLED

    async def _in_thread(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)
