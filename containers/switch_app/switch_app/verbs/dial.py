"""`<Dial>`: join the caller with somebody else."""

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from switch_app.call import DialRequest, DialResult
from switch_app.errors import CallEnded, MediaServerError, PlatformRefused, PlatformUnavailable
from switch_app.services import headers_of
from switch_app.session import Goto, Outcome, Session
from switch_app.twiml.element import Element
from switch_app.verbs.dial_legs import Children, note_lost, note_unreached, prepare
from switch_app.verbs.dial_nouns import Noun, read_number, read_sip
from switch_app.verbs.dial_status import DialStatus, status_of
from switch_app.verbs.recording import ATTRIBUTES, Recording, RecordingOptions

logger = logging.getLogger(__name__)

_NOUNS: Final[Mapping[str, Callable[[Element], Noun]]] = {"Number": read_number, "Sip": read_sip}
_NOUNS_MAXIMUM: Final = 10
_TIMEOUT_MAXIMUM: Final = 600
_TIME_LIMIT_MAXIMUM: Final = 24 * 60 * 60
_RECORDED: Final = ("record-from-answer", "true")
_RECORDED_ELSEWHERE: Final = ("record-from-ringing", "record-from-answer-dual", "record-from-ringing-dual")


@dataclass(frozen=True, slots=True)
class Dial:
    """Ring others at once and join the first who answers; then go on with the document at `action`, or where there is
    none with the next verb.

    Attributes:
        nouns: whom, one to ten.
        action: absolute or relative URL; None for none.
        method: `GET` or `POST`.
        caller_id: what the callee is shown; None for what the platform chooses.
        timeout: seconds of ringing.
        time_limit: seconds of talk.
        hangup_on_star: whether the caller's `*` ends the talk.
        answer_on_bridge: whether the caller is answered only when somebody else has.
        recording: how the talk is recorded; None for not at all.

    """

    nouns: Sequence[Noun]
    action: str | None
    method: str
    caller_id: str | None
    timeout: int
    time_limit: int
    hangup_on_star: bool
    answer_on_bridge: bool
    recording: RecordingOptions | None

    @classmethod
    def parse(cls, element: Element) -> "Dial":
        """Read it.

        A recording has one channel and begins when they talk: the values of `record` that ask for two channels or for
        the ringing get that, and a warning in the log.

        Raises:
            TwimlError: when there is nobody or there are too many to ring, or a noun is wrong or not known.

        """
        element.warn_of_unknown(
            "action",
            "method",
            "callerId",
            "timeout",
            "timeLimit",
            "hangupOnStar",
            "answerOnBridge",
            "record",
            *ATTRIBUTES,
        )
        record = element.choice("record", "do-not-record", "false", *_RECORDED, *_RECORDED_ELSEWHERE)
        if record in _RECORDED_ELSEWHERE:
            logger.warning("recorded with one channel and from the answer on", extra={"twiml_line": element.line})
        return cls(
            nouns=_read_nouns(element),
            action=element.value("action") or None,
            method=element.method(),
            caller_id=element.value("callerId") or None,
            timeout=element.integer("timeout", 30, 1, _TIMEOUT_MAXIMUM),
            time_limit=element.integer("timeLimit", 4 * 60 * 60, 1, _TIME_LIMIT_MAXIMUM),
            hangup_on_star=element.flag("hangupOnStar", default=False),
            answer_on_bridge=element.flag("answerOnBridge", default=False),
            recording=RecordingOptions.parse(element, trim=False)
            if record in _RECORDED or record in _RECORDED_ELSEWHERE
            else None,
        )

    async def run(self, session: Session) -> Outcome:
        """Ring, join, and tell where to go on. A platform that refuses costs nobody the call: the dial has failed."""
        if not self.answer_on_bridge:
            await session.answer()
        recording = self.recording.plan(session) if self.recording else None
        try:
            children = await prepare(session, self.nouns, self.caller_id)
        except (PlatformRefused, PlatformUnavailable) as error:
            logger.warning("nobody is dialled", extra={"call_sid": session.properties.sid, "reason": str(error)})
            return self._go_on([("DialCallStatus", DialStatus.FAILED)])
        if not children.legs:
            return self._go_on([("DialCallStatus", DialStatus.FAILED), ("DialCallSid", children.calls[0].sid)])
        return await self._dial(session, children, recording)

    async def _dial(self, session: Session, children: Children, recording: Recording | None) -> Outcome:
        request = DialRequest(
            legs=children.legs,
            timeout=self.timeout,
            time_limit=self.time_limit,
            hangup_on_star=self.hangup_on_star,
            record=recording.path if recording else None,
            answer_headers=headers_of(session.properties),
            unreached=functools.partial(note_unreached, session),
            lost=functools.partial(note_lost, session),
        )
        try:
            result = await session.call.dial(request)
        except CallEnded:
            # The caller left while the platform made the calls.
            canceled = [("DialCallStatus", str(DialStatus.CANCELED)), ("DialCallSid", children.legs[0].call_sid)]
            return self._go_on(canceled, call_has_ended=True)
        except MediaServerError as error:
            logger.warning("nobody is dialled", extra={"call_sid": session.properties.sid, "reason": str(error)})
            return self._go_on([("DialCallStatus", DialStatus.FAILED), ("DialCallSid", children.legs[0].call_sid)])
        finally:
            # Also of a verb that is cut short.
            delivery = recording.announce_and_deliver(session) if recording else None
        parameters = _parameters(children, result)
        if delivery is not None and (reference := await session.finish(delivery)) is not None:
            parameters.append(("RecordingUrl", reference.url))
        return self._go_on(parameters, call_has_ended=result.hung_up)

    def _go_on(self, parameters: Sequence[tuple[str, str]], *, call_has_ended: bool = False) -> Outcome:
        if self.action is None:
            return None
        return Goto(self.action, self.method, parameters, call_has_ended=call_has_ended)


def _parameters(children: Children, result: DialResult) -> list[tuple[str, str]]:
    """Return what the action is told. Where nobody talked, the call is the first that rang."""
    leg = children.legs[result.joined or 0]
    parameters = [("DialCallStatus", str(status_of(result))), ("DialCallSid", leg.call_sid)]
    if result.joined is not None:
        parameters.append(("DialCallDuration", str(result.seconds)))
    parameters.append(("DialBridged", "true" if result.joined is not None else "false"))
    return parameters


def _read_nouns(element: Element) -> Sequence[Noun]:
    element.require_no_children(*_NOUNS)
    if len(element.children) > _NOUNS_MAXIMUM:
        raise element.error(f"<Dial> has {len(element.children)} nouns, more than {_NOUNS_MAXIMUM}")
    if element.children:
        return tuple(_NOUNS[child.name](child) for child in element.children)
    number = element.text.strip()
    if not number:
        raise element.error("<Dial> must contain a number, or <Number> or <Sip> nouns")
    return (Noun(number),)
