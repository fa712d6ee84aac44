"""`<Start>`: begin to stream the call's audio, and go on."""

from dataclasses import dataclass

from switch_app.session import Outcome, Session
from switch_app.twiml.element import Element
from switch_app.verbs.stream import Stream, the_stream


@dataclass(frozen=True, slots=True)
class Start:
    """Have a WebSocket hear the call while the next verbs run, until `<Stop>` or the call's end.

    Attributes:
        stream: the WebSocket.

    """

    stream: Stream

    @classmethod
    def parse(cls, element: Element) -> "Start":
        """Read it.

        Raises:
            TwimlError: when there is not one stream in it, or that is wrong.

        """
        element.warn_of_unknown()
        return cls(Stream.parse(the_stream(element), tracks=True))

    async def run(self, session: Session) -> Outcome:
        """Answer, and begin."""
        request = self.stream.request(session)
        await session.answer()
        session.services.media_streams.start(session.call, request, session.begin)
        return None
