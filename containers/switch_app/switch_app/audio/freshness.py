"""How long what a server sent may be used without asking it again. Pure. RFC 9111, section 4.2."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

FRESH_MAXIMUM: Final = 24 * 3600.0
"""Seconds; as long as the media server's own cache keeps what it fetches."""


def fresh_seconds(headers: Mapping[str, str]) -> float:
    """Return for how many seconds it is fresh; 0 when it is to be asked for each time.

    A server that says nothing of it is asked each time: a customer who replaces a file wants it heard.

    Args:
        headers: of the answer; names in any case are found when the mapping finds them.

    """
    directives = [part.strip().lower() for part in headers.get("Cache-Control", "").split(",")]
    if any(directive.partition("=")[0] in ("no-store", "no-cache") for directive in directives):
        return 0.0
    age = _seconds(headers.get("Age", "0"))
    for directive in directives:
        name, _, value = directive.partition("=")
        if name == "max-age":
            return _bounded(_seconds(value.strip('"')) - age)
    expires, date = headers.get("Expires"), headers.get("Date")
    if expires is None or date is None:
        return 0.0
    try:
        return _bounded((parsedate_to_datetime(expires) - parsedate_to_datetime(date)).total_seconds())
    except (TypeError, ValueError):
        return 0.0  # "Expires: 0" and other words for "at once"


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() else 0.0


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), FRESH_MAXIMUM)
