"""`<Redirect>`: go on with another document."""

from dataclasses import dataclass

from switch_app.session import Goto, Outcome, Session
from switch_app.twiml.element import Element


@dataclass(frozen=True, slots=True)
class Redirect:
    """Go on with the document at a URL.

    Attributes:
        url: absolute or relative.
        method: `GET` or `POST`.

    """

    url: str
    method: str

    @classmethod
    def parse(cls, element: Element) -> "Redirect":
        """Read it.

        Raises:
            TwimlError: when there is no URL in it, or something else.

        """
        element.warn_of_unknown("method")
        element.require_no_children()
        if not element.text.strip():
            raise element.error("<Redirect> must contain a URL")
        return cls(element.text.strip(), element.method())

    async def run(self, session: Session) -> Outcome:
        """Tell where to go on."""
        return Goto(self.url, self.method)
