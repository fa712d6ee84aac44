"""`<Record>`: record the caller."""

from dataclasses import dataclass
from typing import Final

from switch_app.call import Beep, RecordRequest
from switch_app.session import Goto, Outcome, Session
from switch_app.twiml.element import KEYS, Element
from switch_app.verbs.recording import ATTRIBUTES, RecordingOptions

_LENGTH_MAXIMUM: Final = 4 * 60 * 60
"""Seconds of a recording: Twilio's limit of a call."""

_TIMEOUT_MAXIMUM: Final = 60 * 60


@dataclass(frozen=True, slots=True)
class Record:
    """Record the caller, and go on with the document at `action`; without a sound, with the next verb.

    Attributes:
        action: absolute or relative URL; empty for the current document.
        method: `GET` or `POST`.
        timeout: seconds of silence that end it.
        finish_keys: the keys that end it; empty for none.
        maximum_length: seconds.
        play_beep: whether a tone tells the caller that it begins.
        options: how the recording is made.

    """

    action: str
    method: str
    timeout: int
    finish_keys: str
    maximum_length: int
    play_beep: bool
    options: RecordingOptions

    @classmethod
    def parse(cls, element: Element) -> "Record":
        """Read it.

        Raises:
            TwimlError: when there is an element in it.

        """
        element.warn_of_unknown("action", "method", "timeout", "finishOnKey", "maxLength", "playBeep", *ATTRIBUTES)
        element.require_no_children()
        return cls(
            action=element.value("action"),
            method=element.method(),
            timeout=element.integer("timeout", 5, 1, _TIMEOUT_MAXIMUM),
            finish_keys=element.keys("finishOnKey", KEYS),
            maximum_length=element.integer("maxLength", 3600, 1, _LENGTH_MAXIMUM),
            play_beep=element.flag("playBeep", default=True),
            options=RecordingOptions.parse(element, trim=True),
        )

    async def run(self, session: Session) -> Outcome:
        """Answer, record, hand the recording over, and tell where to go on."""
        await session.answer()
        recording = self.options.plan(session)
        reference = await recording.announce(session)
        if reference is None:
            return None
        request = RecordRequest(recording.path, self.maximum_length, self.timeout, self.finish_keys)
        try:
            if self.play_beep:
                await session.call.play([Beep()])
            # What was pressed for something else does not end what has not begun.
            session.call.discard_digits()
            recorded = await session.call.record(request)
        finally:
            # Also of a verb that is cut short, and when nothing was recorded: the file is expected no more.
            delivery = recording.deliver(session, reference)
        seconds = await session.finish(delivery)
        if seconds is None:
            return None
        parameters = [
            ("RecordingUrl", reference.url),
            ("RecordingSid", reference.sid),
            ("RecordingDuration", str(int(seconds))),
        ]
        digits = "hangup" if recorded.hung_up else recorded.digit
        if digits:
            parameters.append(("Digits", digits))
        return Goto(self.action, self.method, parameters, call_has_ended=recorded.hung_up)
