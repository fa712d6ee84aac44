"""`<Pause>`: wait."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from switch_app.call import Prompt, Silence
from switch_app.errors import CallEnded
from switch_app.session import Outcome, Session
from switch_app.twiml.element import Element

_LENGTH_MAXIMUM: Final = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait in silence. A call that is not answered goes on ringing meanwhile.

    Attributes:
        length: seconds.

    """

    length: int

    @classmethod
    def parse(cls, element: Element) -> "Pause":
        """Read it.

        Raises:
            TwimlError: when there is an element in it.

        """
        element.warn_of_unknown("length")
        element.require_no_children()
        return cls(element.integer("length", 1, 0, _LENGTH_MAXIMUM))

    async def run(self, session: Session) -> Outcome:
        """Wait. Silence is played to a caller who is answered, so that media keeps flowing through every NAT between;
        one who is not has no media, and is waited for."""
        if session.call.is_answered:
            await session.call.play(await self.prompts(session))
            return None
        try:
            async with asyncio.timeout(self.length):
                cause = await session.call.wait_until_ended()
        except TimeoutError:
            return None
        raise CallEnded(cause)

    async def prompts(self, session: Session) -> Sequence[Prompt]:
        """Return what the caller is to hear."""
        return (Silence(self.length),)
