"""What the call platform's services API takes and refuses: its request schemas, as rules over a body.

A rule returns what is wrong with a body, or None. Types are as strict as the platform's, whose schemas know no null
where a key may be left out.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

REGIONS = ("hydrogen", "helium")
CALL_EVENTS = ("ringing", "answered", "completed")

_DIGITS = re.compile(r"\D")
_INTERNATIONAL = re.compile(r"[1-9]\d{3,14}")

Rule = Callable[[Any], str | None]


def digits(text: object) -> str:
    """Return a number's digits."""
    return _DIGITS.sub("", str(text))


def is_international(text: object) -> bool:
    """Whether it may be a number with its country code, or a short code."""
    return bool(_INTERNATIONAL.fullmatch(digits(text)))


def string(value: Any) -> str | None:
    """A string that is not empty."""
    return None if isinstance(value, str) and value else "must be filled"


def nullable_string(value: Any) -> str | None:
    """A string, or null."""
    return None if value is None or isinstance(value, str) else "must be a string"


def number(value: Any) -> str | None:
    """Something with digits in it."""
    return None if isinstance(value, str) and digits(value) else "must be filled"


def count(value: Any) -> str | None:
    """A whole number that is not negative."""
    return None if type(value) is int and value >= 0 else "must be an integer of at least 0"


def address(value: Any) -> str | None:
    """An IP address and nothing else."""
    try:
        ipaddress.ip_address(value if isinstance(value, str) else "")
    except ValueError:
        return "must be an IP address"
    return None


def strings(value: Any) -> str | None:
    """A list of strings, at least one."""
    if not isinstance(value, list) or not value:
        return "is blank"
    return None if all(isinstance(item, str) and item for item in value) else "must hold strings"


def json_object(value: Any) -> str | None:
    """A JSON object."""
    return None if isinstance(value, dict) else "must be a hash"


def nullable_object(value: Any) -> str | None:
    """A JSON object, or null."""
    return None if value is None or isinstance(value, dict) else "must be a hash"


def one_of(*values: str) -> Rule:
    """Return the rule that it is one of some words."""
    return lambda value: None if value in values else f"must be one of: {', '.join(values)}"


def public_url(*schemes: str) -> Rule:
    """Return the rule that it is a URL with one of the schemes whose host is not a private one."""

    def rule(value: Any) -> str | None:
        parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
        host = parts.hostname or ""
        if parts.scheme not in schemes or not host or host == "localhost" or ":" in host:
            return "is invalid"
        try:
            return None if ipaddress.ip_address(host).is_global else "is invalid"
        except ValueError:
            return None

    return rule


def method(value: Any) -> str | None:
    """`GET` or `POST`, in any case."""
    return None if isinstance(value, str) and value.upper() in ("GET", "POST") else "must be one of: GET, POST"


def problems(body: Any, required: Mapping[str, Rule], optional: Mapping[str, Rule] | None = None) -> str:
    """Return an English sentence of everything that is wrong with a body; empty when nothing is."""
    fields = body if isinstance(body, dict) else {}
    found = [f"{name} is missing" for name in required if name not in fields]
    for name, rule in {**required, **(optional or {})}.items():
        if name in fields and (problem := rule(fields[name])) is not None:
            found.append(f"{name} {problem}")
    return " and ".join(found)
