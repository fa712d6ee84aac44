"""`<Stop>`: end a stream that was started."""

import logging
from dataclasses import dataclass

from switch_app.session import Outcome, Session
from switch_app.twiml.element import Element
from switch_app.verbs.stream import the_stream

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stop:
    """End a stream by its name.

    Attributes:
        name: which.

    """

    name: str

    @classmethod
    def parse(cls, element: Element) -> "Stop":
        """Read it.

        Raises:
            TwimlError: when there is not one stream with a name in it.

        """
        element.warn_of_unknown()
        stream = the_stream(element)
        stream.warn_of_unknown("name")
        if not stream.value("name"):
            raise stream.error("<Stream> within <Stop> must have a 'name' attribute")
        return cls(stream.value("name"))

    async def run(self, session: Session) -> Outcome:
        """End it; where there is none, the document goes on all the same."""
        if not session.services.media_streams.stop(self.name):
            logger.warning("no media stream of this name", extra={"call_sid": session.properties.sid})
        return None
