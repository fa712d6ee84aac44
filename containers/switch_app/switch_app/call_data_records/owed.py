"""Calls that are owed a record, as blocking calls: from the moment that the platform made them for a Dial.

Nothing but a record ends such a call at the platform. So it is noted in a small file before it is dialled, and the note
goes when a record of it has been sent, whoever wrote that. What a process finds noted at its start, one before it left.
"""

import json
import logging
import os
import uuid
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

logger = logging.getLogger(__name__)

_FOLDER: Final = "owed"
_CHANNELS: Final = uuid.UUID("4f0b6b2c-94cf-4c1f-9d3c-5d3b6c1a7e52")
"""The namespace of channels that follow from a call's sid (RFC 9562, section 5.5)."""


@dataclass(frozen=True, slots=True)
class OwedCall:
    """A call that is owed a record.

    Attributes:
        sid: the platform's identifier of it.
        made: when the platform had made it, in seconds since the epoch.

    """

    sid: str
    made: int

    @property
    def channel(self) -> str:
        """Its channel, if it has one."""
        return channel_of(self.sid)


class OwedRecords:
    """The notes.

    Args:
        records: the directory that records wait in.

    """

    def __init__(self, records: Path) -> None:
        self._path = records / _FOLDER
        self._path.mkdir(parents=True, exist_ok=True)

    def note(self, calls: Iterable[OwedCall]) -> None:
        """Note calls. Each note is there as a whole or not at all, whenever this process ends."""
        with ExitStack() as stack:
            files = []
            for call in calls:
                note = self._note(call.sid)
                partial = note.with_name(f".{note.name}.partial")
                file = stack.enter_context(partial.open("w", encoding="ascii"))
                json.dump(asdict(call), file)
                file.flush()
                partial.replace(note)
                files.append(file)
            # A process that is killed loses nothing of what it wrote, so all are written before the disk, for the sake
            # of a machine that dies, takes its milliseconds.
            for file in files:
                os.fsync(file.fileno())

    def settle(self, sid: str) -> None:
        """Forget a call: its record has been sent."""
        self._note(sid).unlink(missing_ok=True)

    def is_owed(self, call: OwedCall) -> bool:
        """Whether no record of a call has been sent."""
        return self._note(call.sid).exists()

    def left(self) -> Sequence[OwedCall]:
        """Return the calls that are noted, and remove what is no note."""
        calls = []
        for path in sorted(self._path.glob("*.json")):
            try:
                calls.append(OwedCall(**json.loads(path.read_text(encoding="ascii"))))
            except FileNotFoundError:
                continue  # it was sent just now
            except (ValueError, TypeError):
                logger.exception("the note of a call that is owed a record cannot be read", extra={"file": path.name})
                path.unlink(missing_ok=True)
        for path in self._path.glob(".*.partial"):
            path.unlink(missing_ok=True)
        return calls

    def _note(self, sid: str) -> Path:
        return self._path / f"{channel_of(sid)}.json"


def channel_of(sid: str) -> str:
    """Return the identifier of the channel of a call that the platform made for a Dial, and of its record.

    It follows from the call's sid: whoever writes a record of it, the media server or this app, now or after a restart,
    gives it the same name.
    """
    return str(uuid.uuid5(_CHANNELS, sid))
