"""`<Stream>`, the noun of `<Connect>`, `<Start>` and `<Stop>`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from yarl import URL

from switch_app.call import Track
from switch_app.errors import TwimlError
from switch_app.services import StreamRequest
from switch_app.session import Session
from switch_app.twiml.element import Element

_TRACKS: Final[Mapping[str, Sequence[Track]]] = {
    "inbound_track": (Track.INBOUND,),
    "outbound_track": (Track.OUTBOUND,),
    "both_tracks": (Track.INBOUND, Track.OUTBOUND),
}
_URL_PROBLEM: Final = "<Stream> must contain a valid wss 'url' attribute"


@dataclass(frozen=True, slots=True)
class Stream:
    """A media stream as a document wants it.

    Attributes:
        url: of the WebSocket: `wss`, or `ws`, which only a setting allows.
        name: what `<Stop>` ends it by; empty for nothing.
        tracks: what is streamed.
        parameters: what the other side is told with the start, by name.
        status_callback: absolute or relative URL that is told what becomes of it; empty for none.
        status_callback_method: `GET` or `POST`.
        line: where in the document.

    """

    url: str
    name: str
    tracks: Sequence[Track]
    parameters: Mapping[str, str]
    status_callback: str
    status_callback_method: str
    line: int

    @classmethod
    def parse(cls, element: Element, *, tracks: bool) -> "Stream":
        """Read it.

        Args:
            element: the noun.
            tracks: whether tracks other than the caller's may be chosen.

        Raises:
            TwimlError: when its URL is none, or something else than parameters is in it.

        """
        element.warn_of_unknown("url", "name", "track", "statusCallback", "statusCallbackMethod")
        if not _is_web_socket(element.value("url")):
            raise element.error(_URL_PROBLEM)
        others = tuple(_TRACKS)[1:] if tracks else ()
        return cls(
            url=element.value("url"),
            name=element.value("name"),
            tracks=_TRACKS[element.choice("track", "inbound_track", *others)],
            parameters=_parameters(element),
            status_callback=element.value("statusCallback"),
            status_callback_method=element.method("statusCallbackMethod"),
            line=element.line,
        )

    def request(self, session: Session) -> StreamRequest:
        """Return what is asked for.

        Raises:
            TwimlError: when its URL is not secure, or the callback's is relative to nothing.

        """
        if not session.services.media_streams.allows(self.url):
            raise TwimlError(_URL_PROBLEM, self.line)
        return StreamRequest(
            url=self.url,
            tracks=self.tracks,
            name=self.name,
            parameters=self.parameters,
            status_callback=session.resolve(self.status_callback) if self.status_callback else "",
            status_callback_method=self.status_callback_method,
        )


def the_stream(verb: Element) -> Element:
    """Return the one noun of a verb.

    Raises:
        TwimlError: when there is none, more than one, or another.

    """
    if len(verb.children) != 1 or verb.children[0].name != "Stream":
        raise verb.error(f"<{verb.name}> must contain exactly one of the following nouns: <Stream>")
    return verb.children[0]


def _parameters(element: Element) -> Mapping[str, str]:
    parameters = {}
    for child in element.children:
        if child.name != "Parameter":
            raise child.error("<Stream> must only contain <Parameter> nouns")
        if not child.value("name") or "value" not in child.attributes:
            raise child.error("<Parameter> must have a 'name' and 'value' attribute")
        child.warn_of_unknown("name", "value")
        parameters[child.value("name")] = child.attributes["value"]
    return parameters


def _is_web_socket(text: str) -> bool:
    try:
        url = URL(text)
    except ValueError:
        return False
    return url.scheme in ("wss", "ws") and bool(url.host)
