"""`<Hangup>`: end the call."""

from dataclasses import dataclass

from switch_app.errors import CallEnded
from switch_app.session import Outcome, Session
from switch_app.twiml.element import Element


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call."""

    @classmethod
    def parse(cls, element: Element) -> "Hangup":
        """Read it. Parameters within it are for nobody here.

        Raises:
            TwimlError: when there is another element in it.

        """
        element.warn_of_unknown()
        element.require_no_children("Parameter")
        return cls()

    async def run(self, session: Session) -> Outcome:
        """End the call; nothing follows."""
        await session.call.hangup()
        raise CallEnded
