"""Whom a `<Dial>` rings: `<Number>` and `<Sip>`."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import parse_qsl

from switch_app.call import Leg, SipCredentials
from switch_app.twiml.element import Element

logger = logging.getLogger(__name__)

_DIGITS: Final = re.compile(r"[0-9*#A-DwW]*")
_HEADER_NAME: Final = re.compile(r"(?:x-|user-to-user$)[a-z0-9-]*", re.IGNORECASE)
_HEADER_VALUE: Final = re.compile(r"[^\x00-\x1f\x7f]*")
_OURS: Final = ("x-somleng-", "x-src-ip")
"""How the names of the headers begin that this system alone sets, and believes."""

_QUERY_MAXIMUM: Final = 1024
"""Characters of a SIP URI's headers: Twilio's limit."""

_URI: Final = re.compile(r"sips?:[^\s<>\"?]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Noun:
    """Somebody to ring.

    Attributes:
        destination: as the platform is told it: a number as it was written, or a SIP URI without headers.
        send_digits: played to the callee before the legs are joined; `w` waits half a second.
        headers: of the INVITE, on top of the switch's own.
        credentials: for a SIP server that asks for them.

    """

    destination: str
    send_digits: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    credentials: SipCredentials | None = None

    def applied_to(self, leg: Leg) -> Leg:
        """Return the leg with what is said here; the switch's own headers win."""
        headers = {**self.headers, **leg.headers}
        return replace(leg, headers=headers, send_digits=self.send_digits, credentials=self.credentials)


def read_number(element: Element) -> Noun:
    """Read a `<Number>`.

    Raises:
        TwimlError: when there is no number in it, something else is, or `sendDigits` has other characters.

    """
    element.warn_of_unknown("sendDigits")
    digits = element.value("sendDigits")
    if not _DIGITS.fullmatch(digits):
        raise element.attribute_error("sendDigits", "has other characters than 0-9, A-D, *, #, w and W")
    return Noun(_text(element, "a number"), digits)


def read_sip(element: Element) -> Noun:
    """Read a `<Sip>`: `sip:alice@example.com?x-header=value`. Headers whose name does not begin with `x-`, and those
    that this system alone sets, are not sent, and logged.

    Raises:
        TwimlError: when there is no SIP URI in it, something else is, or a header is no header.

    """
    element.warn_of_unknown("username", "password")
    uri, _, query = _text(element, "a SIP URI").partition("?")
    if not _URI.fullmatch(uri):
        raise element.error("<Sip> must contain a SIP URI")
    username = element.value("username")
    credentials = SipCredentials(username, element.value("password")) if username else None
    return Noun(uri, headers=_headers(element, query), credentials=credentials)


def _text(element: Element, what: str) -> str:
    element.require_no_children()
    text = element.text.strip()
    if not text:
        raise element.error(f"<{element.name}> must contain {what}")
    return text


def _headers(element: Element, query: str) -> Mapping[str, str]:
    if len(query) > _QUERY_MAXIMUM:
        raise element.error(f"<Sip> has more than {_QUERY_MAXIMUM} characters of headers")
    headers = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        # A line break would begin a header of the customer's choice, or another message.
        if not _HEADER_VALUE.fullmatch(value):
            raise element.error(f"<Sip> has a control character in the header {name!r}")
        if _HEADER_NAME.fullmatch(name) and not name.lower().startswith(_OURS):
            headers[name] = value
        else:
            logger.warning("header not sent", extra={"verb": "Sip", "header": name, "twiml_line": element.line})
    return headers
