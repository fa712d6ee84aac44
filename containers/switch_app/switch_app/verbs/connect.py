"""`<Connect>`: hand the call's audio over to somebody's program, both ways."""

from dataclasses import dataclass

from switch_app.session import Goto, Outcome, Session
from switch_app.twiml.element import Element
from switch_app.verbs.stream import Stream, the_stream


@dataclass(frozen=True, slots=True)
class Connect:
    """Have a WebSocket hear the caller and speak to the caller, until it is closed.

    Attributes:
        stream: the WebSocket.
        action: absolute or relative URL of the document to go on with; empty for the next verb.
        method: `GET` or `POST`.

    """

    stream: Stream
    action: str
    method: str

    @classmethod
    def parse(cls, element: Element) -> "Connect":
        """Read it.

        Raises:
            TwimlError: when there is not one stream in it, or that is wrong.

        """
        element.warn_of_unknown("action", "method")
        return cls(Stream.parse(the_stream(element), tracks=False), element.value("action"), element.method())

    async def run(self, session: Session) -> Outcome:
        """Answer, connect, and tell where to go on."""
        request = self.stream.request(session)
        await session.answer()
        await session.services.media_streams.connect(session.call, request, session.begin)
        return Goto(self.action, self.method) if self.action else None
