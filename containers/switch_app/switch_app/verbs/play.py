"""`<Play>`: let the caller hear audio, or send keys."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

from switch_app.call import Prompt
from switch_app.errors import FetchFailed, TwimlError
from switch_app.session import Outcome, Session
from switch_app.twiml.element import Element

logger = logging.getLogger(__name__)

_DIGITS = re.compile(r"[0-9*#A-DwW]*")


@dataclass(frozen=True, slots=True)
class Play:
    """Play the audio at a URL, or keys.

    Attributes:
        url: absolute or relative; empty for none.
        digits: keys to send instead, with `w` and `W` for pauses; empty for none.
        loop: how often.

    """

    url: str
    digits: str
    loop: int

    @classmethod
    def parse(cls, element: Element) -> "Play":
        """Read it. One without URL and keys plays nothing, as at Twilio, and is logged.

        Raises:
            TwimlError: when the keys are none, or there is an element in it.

        """
        element.warn_of_unknown("loop", "digits")
        element.require_no_children()
        url, digits = element.text.strip(), element.value("digits")
        if not _DIGITS.fullmatch(digits):
            raise element.attribute_error("digits", "has other characters than 0-9, A-D, *, #, w and W")
        if not url and not digits:
            logger.warning("nothing to play", extra={"verb": element.name, "twiml_line": element.line})
        return cls(url, digits, element.loop())

    async def run(self, session: Session) -> Outcome:
        """Answer, and play or send."""
        await session.answer()
        if self.digits:
            for _ in range(self.loop):
                await session.call.send_digits(self.digits)
        else:
            await session.call.play(await self.prompts(session))
        return None

    async def prompts(self, session: Session) -> Sequence[Prompt]:
        """Return what the caller is to hear; nothing when it cannot be had: that is logged, and the document goes on,
        so that a missing jingle costs nobody the call."""
        if not self.url:
            return ()
        try:
            audio = await session.services.prompts.audio(session.resolve(self.url))
        except (FetchFailed, TwimlError) as error:
            logger.warning("audio is not played", extra={"call_sid": session.properties.sid, "reason": str(error)})
            return ()
        return (audio,) * self.loop
