"""What every verb is."""

from typing import Protocol

from switch_app.session import Outcome, Session


class Verb(Protocol):
    """An instruction of a document, read and found to be right.

    A verb's class has `parse(element)`, which returns it or raises `TwimlError`. It waits for nothing when it is read.
    """

    async def run(self, session: Session) -> Outcome:
        """Do it.

        It may be cancelled at any moment, when the call is told to do something else.

        Raises:
            CallEnded: when the caller is gone.
            TwimlError: when it cannot be done as it is written; the call ends.

        """
        ...
