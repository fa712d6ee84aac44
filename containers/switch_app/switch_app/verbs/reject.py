"""`<Reject>`: refuse a call without answering it."""

from dataclasses import dataclass

from switch_app.call import Rejection
from switch_app.errors import CallEnded
from switch_app.services import headers_of
from switch_app.session import Outcome, Session
from switch_app.twiml.element import Element


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuse the call; one that is answered is hung up.

    Attributes:
        rejection: how.

    """

    rejection: Rejection

    @classmethod
    def parse(cls, element: Element) -> "Reject":
        """Read it. Parameters within it are for nobody here.

        Raises:
            TwimlError: when there is another element in it.

        """
        element.warn_of_unknown("reason")
        element.require_no_children("Parameter")
        reason = element.choice("reason", "rejected", "busy")
        return cls(Rejection.BUSY if reason == "busy" else Rejection.DECLINE)

    async def run(self, session: Session) -> Outcome:
        """Refuse it; nothing follows."""
        if session.call.is_answered:
            await session.call.hangup()
        else:
            await session.call.reject(self.rejection, headers_of(session.properties))
        raise CallEnded("CALL_REJECTED")
