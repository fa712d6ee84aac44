"""Addresses that may go into a dial string of the media server as they are.

Its dial strings have a grammar of their own: braces, brackets and commas begin variables and further destinations, a
semicolon a parameter that may send the call elsewhere. What comes from a customer or a carrier's settings is let in
only when nothing of that is in it.
"""

import re
from typing import Final

_USER: Final = r"[0-9A-Za-z+*#._~-]{1,128}"
_LABEL: Final = r"[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?"
_HOST: Final = rf"(?=[0-9A-Za-z.-]{{1,253}}(?::|;|\Z)){_LABEL}(?:\.{_LABEL})*\.?"
_PORT: Final = r"(?::(?P<port>[0-9]{1,5}))?"
_ADDRESS: Final = re.compile(rf"{_USER}@{_HOST}{_PORT}(?:;transport=(?:udp|tcp|tls))?")
_HOST_PORT: Final = re.compile(rf"{_HOST}{_PORT}")
_PROFILE: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")


def is_address(text: str) -> bool:
    """Whether it is user and host, with a port or a transport or without."""
    return _is(_ADDRESS, text)


def is_host_port(text: str) -> bool:
    """Whether it is a host, with a port or without."""
    return _is(_HOST_PORT, text)


def is_profile(text: str) -> bool:
    """Whether it may be the name of a SIP profile."""
    return _PROFILE.fullmatch(text) is not None


def _is(pattern: re.Pattern[str], text: str) -> bool:
    match = pattern.fullmatch(text)
    return match is not None and 0 < int(match["port"] or 1) < 65536
