"""Every verb by its name, and the reading of a whole document."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from switch_app.twiml.document import read_document
from switch_app.twiml.element import Element
from switch_app.verbs.connect import Connect
from switch_app.verbs.dial import Dial
from switch_app.verbs.gather import Gather
from switch_app.verbs.hangup import Hangup
from switch_app.verbs.pause import Pause
from switch_app.verbs.play import Play
from switch_app.verbs.record import Record
from switch_app.verbs.redirect import Redirect
from switch_app.verbs.reject import Reject
from switch_app.verbs.say import Say
from switch_app.verbs.start import Start
from switch_app.verbs.stop import Stop
from switch_app.verbs.verb import Verb

VERBS: Final[Mapping[str, Callable[[Element], Verb]]] = {
    "Connect": Connect.parse,
    "Dial": Dial.parse,
    "Gather": Gather.parse,
    "Hangup": Hangup.parse,
    "Pause": Pause.parse,
    "Play": Play.parse,
    "Record": Record.parse,
    "Redirect": Redirect.parse,
    "Reject": Reject.parse,
    "Say": Say.parse,
    "Start": Start.parse,
    "Stop": Stop.parse,
}


def read_verbs(content: bytes | str) -> Sequence[Verb]:
    """Return the verbs of a document, all of them found to be right before any runs.

    Raises:
        TwimlError: naming the line, and the verb or attribute that is wrong.

    """
    return tuple(_read_verb(element) for element in read_document(content))


def _read_verb(element: Element) -> Verb:
    parse = VERBS.get(element.name)
    if parse is None:
        raise element.error(f"Invalid element <{element.name}>")
    return parse(element)
