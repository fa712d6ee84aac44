"""An element of a TwiML document, and how its attributes are read."""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from switch_app.errors import TwimlError

logger = logging.getLogger(__name__)

_INTEGER = re.compile(r"[+-]?[0-9]{1,64}")

KEYS: Final = "1234567890*#"
"""The keys of a telephone."""

LOOP_MAXIMUM: Final = 1000
"""How often something is repeated at most, and what `loop="0"`, without end, means."""


@dataclass(frozen=True, slots=True)
class Element:
    """An element: comments, processing instructions and blank text are gone already.

    Attributes:
        name: with its case: TwiML's names have one.
        line: where it begins, counted from 1.
        attributes: by name.
        text: all text within it, markup and comments left out, as it stands; trimmed by whoever needs it so.
        children: the elements within it.

    """

    name: str
    line: int
    attributes: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    children: tuple["Element", ...] = ()

    def error(self, message: str) -> TwimlError:
        """Return an error that names the line."""
        return TwimlError(message, self.line)

    def attribute_error(self, attribute: str, problem: str) -> TwimlError:
        """Return an error that names verb, attribute and line."""
        return self.error(f"<{self.name}> attribute '{attribute}' {problem}")

    def warn_of_unknown(self, *known: str) -> None:
        """Log each attribute that is not known here. Twilio goes on with the document, and so does this."""
        for name in self.attributes:
            if name not in known:
                logger.warning(
                    "attribute ignored", extra={"verb": self.name, "attribute": name, "twiml_line": self.line}
                )

    def value(self, name: str, default: str = "") -> str:
        """Return an attribute, trimmed; the default where it is absent."""
        return self.attributes.get(name, default).strip()

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a truth value; anything but `true` and `false`, in any case, counts as the default, with a warning."""
        written = self.value(name).lower()
        if written in ("true", "false"):
            return written == "true"
        if written:
            self._warn_of_default(name)
        return default

    def integer(self, name: str, default: int, minimum: int, maximum: int) -> int:
        """Return a whole number brought into bounds; one that is none counts as the default, with a warning."""
        written = self.value(name)
        if not written:
            return default
        if not _INTEGER.fullmatch(written):
            self._warn_of_default(name)
            return default
        return min(max(int(written), minimum), maximum)

    def loop(self) -> int:
        """Return how often something is to be repeated; a negative number counts as the default."""
        written = self.integer("loop", 1, -1, LOOP_MAXIMUM)
        if written < 0:
            self._warn_of_default("loop")
            return 1
        return written or LOOP_MAXIMUM

    def keys(self, name: str, default: str) -> str:
        """Return a set of keys: empty where the attribute is there and empty; what is none counts as the default."""
        written = self.value(name, default)
        if any(key not in KEYS for key in written):
            self._warn_of_default(name)
            return default
        return written

    def choice(self, name: str, default: str, *others: str) -> str:
        """Return one of some words; any other counts as the default, with a warning."""
        written = self.value(name) or default
        if written not in (default, *others):
            self._warn_of_default(name)
            return default
        return written

    def require_no_children(self, *allowed: str) -> None:
        """Raise for the first element within it that is not allowed there.

        Raises:
            TwimlError: naming both, and the line of the inner one.

        """
        for child in self.children:
            if child.name not in allowed:
                raise child.error(f"<{child.name}> is not allowed within <{self.name}>")

    def method(self, name: str = "method") -> str:
        """Return `GET` or `POST`; the default is POST. Twilio takes either case of letters."""
        written = self.value(name).upper()
        if written in ("GET", "POST"):
            return written
        if written:
            self._warn_of_default(name)
        return "POST"

    def walk(self) -> Iterator["Element"]:
        """Yield the elements within it, to any depth, in their order."""
        for child in self.children:
            yield child
            yield from child.walk()

    def _warn_of_default(self, name: str) -> None:
        logger.warning(
            "attribute counts as its default", extra={"verb": self.name, "attribute": name, "twiml_line": self.line}
        )
