"""Checks of what is read, field by field: what is not of the form that a field has becomes nothing.

A form keeps out what does not belong: a text of a log or a table is shown only if it is an identifier, an address or
one of some words.
"""

import ipaddress
import re
from collections.abc import Collection
from typing import Final

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,127}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,79}")
_CAUSE: Final = re.compile(r"[A-Z][A-Z0-9_]{1,47}")
_SIP_URI: Final = re.compile(r"sips?:(?:[^@;?>\s]*@)?(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+)(?::(\d{1,5}))?(?:[;?>].*)?")
_SOCKET: Final = re.compile(r"(?:udp|tcp|tls|ws|wss|sip|sips):(?:\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+)(?::\d{1,5})?")
_SECRET_LIKE: Final = re.compile(r"[0-9a-f]{32,}", re.IGNORECASE)


def identifier(value: object) -> str:
    """Return a name or key of letters, digits and ``._:@/+-``; empty for anything else, and for a digest."""
    text = value if isinstance(value, str) else ""
    return text if _IDENTIFIER.fullmatch(text) and not _SECRET_LIKE.search(text) else ""


def call_identifier(value: object) -> str:
    """Return a UUID, which both sids and channels are; empty for anything else."""
    return value.lower() if isinstance(value, str) and _UUID.fullmatch(value) else ""


def name(value: object) -> str:
    """Return a name of code: of a logger, a module, a class; empty for anything else."""
    text = value if isinstance(value, str) else ""
    return text if _NAME.fullmatch(text) and not _SECRET_LIKE.search(text) else ""


def cause(value: object) -> str:
    """Return a hang-up cause (`NORMAL_CLEARING`); empty for anything else."""
    return value if isinstance(value, str) and _CAUSE.fullmatch(value) else ""


def one_of(value: object, words: Collection[str]) -> str:
    """Return one of some words; empty for anything else."""
    return value if isinstance(value, str) and value in words else ""


def number(value: object) -> int | None:
    """Return a whole number of at most 15 digits, also one that is written as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value)
    return int(text) if re.fullmatch(r"-?[0-9]{1,15}", text) else None


def socket_uri(value: object) -> str:
    """Return a protocol with host and port (`sip:10.0.0.1:5060`, `udp:10.0.0.1:2223`); empty for anything else."""
    return value if isinstance(value, str) and _SOCKET.fullmatch(value) else ""


def sip_address(value: object) -> str:
    """Return host and port of a SIP URI, without user and parameters; empty for anything else."""
    found = _SIP_URI.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return ""
    host, port = found.groups()
    return f"{host}:{port}" if port else str(host)


def network(value: object) -> str:
    """Return an IP address or network; empty for anything else."""
    try:
        ipaddress.ip_network(str(value))
    except ValueError:
        return ""
    return str(value)


def task(value: object) -> str:
    """Return the end of a task's ARN; empty for anything else."""
    text = value.rpartition("/")[2] if isinstance(value, str) and value.startswith("arn:") else ""
    return text[:8] if re.fullmatch(r"[A-Za-z0-9-]{1,64}", text) else ""
