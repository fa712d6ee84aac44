"""The calls there are."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from switch_app.call_properties import CallProperties
from switch_app.interpreter import Interpreter, Update
from switch_app.telephony import CallEvent


@dataclass(slots=True, eq=False)
class LiveCall:
    """A call from the moment that this switch knows of it until everything of it is over.

    Attributes:
        uuid: its first leg's channel.
        properties: what the platform says of it; None while an inbound call is told to the platform.
        events: what happened before the platform knew the call; told once it does.
        is_answered: whether it was answered.
        is_running: whether its documents run, or what they began is brought to its end.
        is_completed: whether its end has been told, or was noted.
        began: when this switch first knew of it, in seconds since the epoch.
        answered: when it was answered, likewise; None when it was not, or nobody said when.

    """

    uuid: str
    properties: CallProperties | None = None
    events: list[CallEvent] = field(default_factory=list)
    is_answered: bool = False
    is_running: bool = False
    is_completed: bool = False
    began: float = field(default_factory=time.time)
    answered: float | None = None
    _interpreter: Interpreter | None = None
    _update: Update | None = None

    @property
    def sid(self) -> str | None:
        """The platform's identifier of the call; None while it is not known."""
        return self.properties.sid if self.properties else None

    def update(self, update: Update) -> None:
        """Have it do something else: at once when its documents run, else from the beginning."""
        if self._interpreter is not None:
            self._interpreter.update(update)
        else:
            self._update = update

    def first_plan(self) -> CallProperties:
        """Return its properties, with what it is to do first after an update that came early."""
        assert self.properties is not None  # noqa: S101
        if self._update is None:
            return self.properties
        update = self._update
        return replace(
            self.properties, voice_url=update.voice_url, voice_method=update.voice_method, twiml=update.twiml
        )

    def run_by(self, interpreter: Interpreter) -> None:
        """Take note of what runs its documents from here on."""
        self._interpreter = interpreter


class LiveCalls:
    """The calls there are, by channel.

    Attributes:
        busy: set while there are calls, or one is about to be.
        idle: set while there are none.

    """

    def __init__(self) -> None:
        self._calls: dict[str, LiveCall] = {}
        self._expected = 0
        self.busy = asyncio.Event()
        self.idle = asyncio.Event()
        self.idle.set()

    def add(self, call: LiveCall) -> None:
        """Take a call in."""
        self._calls[call.uuid] = call
        self._tell()

    @contextmanager
    def expecting(self) -> Iterator[None]:
        """Count as busy while a call is about to be."""
        self._expected += 1
        self._tell()
        try:
            yield
        finally:
            self._expected -= 1
            self._tell()

    def get(self, uuid: str) -> LiveCall | None:
        """Return a call; None when there is none."""
        return self._calls.get(uuid)

    def remove(self, call: LiveCall) -> None:
        """Forget a call; nothing happens when that has been done."""
        if self._calls.get(call.uuid) is call:
            del self._calls[call.uuid]
        self._tell()

    def __iter__(self) -> Iterator[LiveCall]:
        return iter(tuple(self._calls.values()))

    def __len__(self) -> int:
        return len(self._calls)

    def _tell(self) -> None:
        if self._calls or self._expected:
            self.busy.set()
            self.idle.clear()
        else:
            self.idle.set()
            self.busy.clear()
