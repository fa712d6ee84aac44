"""What a `<Record>` and a recorded `<Dial>` have in common: a recording at the platform, and a file that goes there."""

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from switch_app.errors import PlatformRefused, PlatformUnavailable
from switch_app.services import RecordingReference
from switch_app.session import Session
from switch_app.twiml.element import Element

logger = logging.getLogger(__name__)

ATTRIBUTES: Final = (
    "trim",
    "recordingStatusCallback",
    "recordingStatusCallbackMethod",
    "recordingStatusCallbackEvent",
)
"""The attributes that are read here."""


@dataclass(frozen=True, slots=True)
class RecordingOptions:
    """How a recording is to be made.

    Attributes:
        trim: whether silence at both ends is taken off.
        status_callback: absolute or relative URL that the platform tells when it is there; empty for none.
        status_callback_method: `GET` or `POST`.

    """

    trim: bool
    status_callback: str
    status_callback_method: str

    @classmethod
    def parse(cls, element: Element, *, trim: bool) -> "RecordingOptions":
        """Read them. The platform tells of a recording that is complete and of nothing else; whoever asks for another
        event is warned in the log.

        Args:
            element: the verb.
            trim: whether silence is taken off when the verb says nothing of it.

        """
        events = element.value("recordingStatusCallbackEvent", "completed").split()
        if events != ["completed"]:
            logger.warning("only 'completed' is told", extra={"verb": element.name, "twiml_line": element.line})
        words = ("trim-silence", "do-not-trim") if trim else ("do-not-trim", "trim-silence")
        return cls(
            trim=element.choice("trim", *words) == "trim-silence",
            status_callback=element.value("recordingStatusCallback"),
            status_callback_method=element.method("recordingStatusCallbackMethod"),
        )

    def plan(self, session: Session) -> "Recording":
        """Return a recording that has not begun.

        Raises:
            TwimlError: when the callback's URL is relative to nothing.

        """
        url = session.resolve(self.status_callback) if self.status_callback else None
        method = self.status_callback_method if url else None
        return Recording(session.services.recordings.new_path(session.call.uuid), self.trim, url, method)


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording of a call.

    Attributes:
        path: where its file is, or is going to be.
        trim: whether silence at both ends is taken off.
        callback_url, callback_method: whom the platform tells when it is there; None for nobody.

    """

    path: Path
    trim: bool
    callback_url: str | None
    callback_method: str | None

    async def announce(self, session: Session) -> RecordingReference | None:
        """Make it at the platform; None when the platform refuses or is not there, which is logged: a call is worth
        more than its recording."""
        platform, call_sid = session.services.platform, session.properties.sid
        try:
            reference = await platform.create_recording(call_sid, self.callback_url, self.callback_method)
        except (PlatformRefused, PlatformUnavailable) as error:
            logger.warning("the platform takes no recording", extra={"call_sid": call_sid, "reason": str(error)})
            return None
        await session.services.recordings.expect(self.path, reference)
        return reference

    def deliver(self, session: Session, reference: RecordingReference) -> asyncio.Task[float | None]:
        """Begin to hand over the file, whatever becomes of the verb; the result is its length in seconds, and None when
        there is no file, or nothing to be heard in it."""
        return session.begin(self._deliver(session, reference))

    def announce_and_deliver(self, session: Session) -> asyncio.Task[RecordingReference | None]:
        """Begin to make it at the platform and to hand over the file, if there is one."""
        return session.begin(self._announce_and_deliver(session))

    async def _deliver(self, session: Session, reference: RecordingReference) -> float | None:
        if self.trim and self.path.exists():
            await session.services.recordings.trim(self.path)
        return await session.services.recordings.deliver(self.path, reference)

    async def _announce_and_deliver(self, session: Session) -> RecordingReference | None:
        if not self.path.exists():
            return None
        reference = await self.announce(session)
        if reference is None or await self._deliver(session, reference) is None:
            return None
        return reference
