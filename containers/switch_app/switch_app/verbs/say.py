"""`<Say>`: speak a text."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from switch_app.call import Prompt
from switch_app.errors import SynthesisFailed
from switch_app.session import Outcome, Session
from switch_app.twiml.element import Element

logger = logging.getLogger(__name__)

_TEXT_MAXIMUM: Final = 4096
"""Characters of a text: Twilio's limit."""

_SENTENCE_ENDS: Final = (".", "!", "?")


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a text to the caller.

    Attributes:
        text: what is said, trimmed. Of SSML within it only the text is there.
        characters: of the text as it was written, in code points: what is charged for.
        voice: the attribute; empty where it is absent.
        language: the attribute; empty where it is absent.
        loop: how often.

    """

    text: str
    characters: int
    voice: str
    language: str
    loop: int

    @classmethod
    def parse(cls, element: Element) -> "Say":
        """Read it.

        Raises:
            TwimlError: when the text is too long.

        """
        element.warn_of_unknown("voice", "language", "loop")
        text = element.text.strip()
        if len(text) > _TEXT_MAXIMUM:
            raise element.error(f"<Say> has {len(text)} characters, more than {_TEXT_MAXIMUM}")
        return cls(text, len(element.text), element.value("voice"), element.value("language"), element.loop())

    async def run(self, session: Session) -> Outcome:
        """Answer, and speak."""
        await session.answer()
        await session.call.play(await self.prompts(session))
        return None

    async def prompts(self, session: Session) -> Sequence[Prompt]:
        """Return what the caller is to hear, and have it charged; nothing when there is nothing to say, or no voice
        that could: that is logged, and the document goes on."""
        if not self.text:
            return ()
        services, properties = session.services, session.properties
        voice = services.prompts.voice(self.voice, self.language, properties.default_tts_voice)
        # A sentence that ends is spoken so; some voices swallow the last word of one that does not.
        sentence = self.text if self.text.endswith(_SENTENCE_ENDS) else f"{self.text}."
        try:
            prompt = await services.prompts.speech(voice, sentence)
        except SynthesisFailed as error:
            logger.warning("text is not spoken", extra={"call_sid": properties.sid, "reason": str(error)})
            return ()
        services.platform.note_speech(properties.sid, voice, self.characters * self.loop)
        return (prompt,) * self.loop
