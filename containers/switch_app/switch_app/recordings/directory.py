"""The directory that recordings wait in, as blocking calls.

A recording is a WAV file; what is to become of it is beside it in a small file of JSON, from the moment that it is
handed over, so that whoever comes after this process knows.
"""

import json
import logging
import os
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from switch_app.recordings.wav import NotWav, read_layout

logger = logging.getLogger(__name__)

_DEAD: Final = "dead"
_DEAD_SECONDS: Final = 7 * 24 * 3600
"""As long as a recording stays in the bucket."""
_CALLS_REMEMBERED: Final = 10_000
_UUID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is to become of a recording.

    Attributes:
        key: the name of its file, and of the object in the bucket.
        sid: the platform's identifier of it.
        handed_over: when, seconds since the epoch.
        is_uploaded: whether the bucket has it.

    """

    key: str
    sid: str
    handed_over: float
    is_uploaded: bool = False

    @property
    def external_id(self) -> str:
        """What the platform calls it beside its own identifier."""
        return self.key.removesuffix(".wav")


class RecordingDirectory:
    """The files of recordings.

    Args:
        path: the directory; it is made when there is none.
        clock: seconds since the epoch.

    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._dead = path / _DEAD
        self._dead.mkdir(parents=True, exist_ok=True)
        self._numbers: OrderedDict[str, int] = OrderedDict()

    def new_path(self, call_uuid: str) -> Path:
        """Return a path that no recording of the call had before.

        Raises:
            ValueError: for a name that is none of a channel.

        """
        if not _UUID.fullmatch(call_uuid):
            raise ValueError(f"{call_uuid!r} is no channel's identifier")
        number = self._numbers.pop(call_uuid, 0)
        while True:
            number += 1
            path = self.path / f"{call_uuid}-{number}.wav"
            if not path.exists() and not self._note(path.name).exists():
                break
        self._numbers[call_uuid] = number
        if len(self._numbers) > _CALLS_REMEMBERED:
            self._numbers.popitem(last=False)
        return path

    def expect(self, path: Path, sid: str) -> None:
        """Note which recording a file is going to be that is still to be written."""
        self._write(Delivery(path.name, sid, self._clock()))

    def accept(self, path: Path, sid: str) -> tuple[Delivery, float] | None:
        """Note what is to become of a finished file; return that and its length in seconds. None when there is nothing
        in it to deliver: the file is gone then, or among the dead when it is no WAV file."""
        seconds = self._seconds(path, sid)
        if not seconds:
            self._note(path.name).unlink(missing_ok=True)
            return None
        delivery = Delivery(path.name, sid, self._clock())
        self._write(delivery)
        return delivery, seconds

    def _seconds(self, path: Path, sid: str) -> float:
        """Return how long a file plays; 0 for one that does not, which is removed, or buried when it may be of use."""
        try:
            with path.open("rb") as file:
                seconds = read_layout(file).seconds
        except FileNotFoundError:
            logger.warning("a recording has no file", extra={"recording_sid": sid, "file": path.name})
            return 0.0
        except NotWav as error:
            fields = {"recording_sid": sid, "file": path.name, "reason": str(error)}
            if path.stat().st_size:
                logger.error("a recording is no WAV file", extra=fields)  # noqa: TRY400 - the reason is all there is
                self._move(path)
                return 0.0
            seconds = 0.0
        if not seconds:
            path.unlink()
        return seconds

    def uploaded(self, delivery: Delivery) -> Delivery:
        """Note that the bucket has it."""
        delivery = replace(delivery, is_uploaded=True)
        self._write(delivery)
        return delivery

    def done(self, delivery: Delivery) -> None:
        """Forget a recording that has arrived. The audio goes first: what is noted alone is told the platform again,
        which does not mind."""
        (self.path / delivery.key).unlink(missing_ok=True)
        self._note(delivery.key).unlink(missing_ok=True)

    def bury(self, delivery: Delivery) -> None:
        """Keep a recording that cannot be delivered where somebody may look for it."""
        for path in (self.path / delivery.key, self._note(delivery.key)):
            if path.exists():
                self._move(path)

    def left(self) -> Sequence[Delivery]:
        """Return what an earlier process left to be delivered, and bury what it left without saying what is to become
        of it."""
        deliveries = []
        for path in sorted(self.path.glob("*.json")):
            try:
                delivery = Delivery(**json.loads(path.read_text()))
            except (ValueError, TypeError):
                logger.exception("what is noted of a recording cannot be read", extra={"file": path.name})
                self._move(path)
                continue
            # A call that ended with the process may not have come to be recorded.
            if delivery.is_uploaded or self._seconds(self.path / delivery.key, delivery.sid):
                deliveries.append(delivery)
            else:
                path.unlink()
        known = {delivery.key for delivery in deliveries}
        for path in self.path.glob("*.wav"):
            if path.name not in known:
                logger.error("a recording was never handed over", extra={"file": path.name})
                self._move(path)
        for path in self.path.glob(".*.partial"):
            path.unlink(missing_ok=True)
        return deliveries

    def _write(self, delivery: Delivery) -> None:
        note = self._note(delivery.key)
        partial = note.with_name(f".{note.name}.partial")
        with partial.open("w") as file:
            json.dump(asdict(delivery), file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(note)

    def _note(self, key: str) -> Path:
        return self.path / f"{key.removesuffix('.wav')}.json"

    def _move(self, path: Path) -> None:
        path.replace(self._dead / path.name)
        for old in self._dead.iterdir():
            if self._clock() - old.stat().st_mtime > _DEAD_SECONDS:
                old.unlink(missing_ok=True)
