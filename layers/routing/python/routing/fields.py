"""Checks of single values, shared by the records."""

import ipaddress

from routing.errors import InvalidRecord

_KEY_MAXIMUM = 1024
"""Characters of a text attribute; well below DynamoDB's 2,048 bytes for a partition key."""

_NUMBER_MAXIMUM = 2**31 - 1
"""OpenSIPS keeps the numbers of its tables in 32 bits with a sign."""


def described(value: object) -> str:
    """Return what an error may show of a wrong value: a simple one as it is, of anything else only its type.

    A whole object in the wrong place may hold credentials.
    """
    if value is None or isinstance(value, str | int | float):
        return repr(value)[:100]
    return f"of type {type(value).__name__}"


def check_text(name: str, value: object) -> str:
    """Return `value` if it is a non-empty string of a length that a key may have, or raise InvalidRecord."""
    if not isinstance(value, str) or not value:
        raise InvalidRecord(f"{name} is {described(value)}, not a non-empty string")
    if len(value) > _KEY_MAXIMUM:
        raise InvalidRecord(f"{name} is {len(value)} characters long; at most {_KEY_MAXIMUM} are allowed")
    return value


def check_number(name: str, value: object) -> int:
    """Return `value` if it is a whole number that OpenSIPS can hold, or raise InvalidRecord."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _NUMBER_MAXIMUM:
        raise InvalidRecord(f"{name} is {described(value)}, not a whole number from 0 to {_NUMBER_MAXIMUM}")
    return value


def normalise_source_ip(value: object) -> str:
    """Return the one way to write an address or a network.

    A single address has no prefix length, a network has its host bits cleared, and an IPv4 address mapped into IPv6
    is written as IPv4, which is what OpenSIPS sees on an IPv4 socket.

    Raises:
        InvalidRecord: when it is no IP address or CIDR, has a zone, or admits the whole Internet.

    """
    text = check_text("source_ip", value)
    try:
        if "%" in text:
            raise ValueError("a zone is local to one machine")  # noqa: TRY301
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise InvalidRecord(f"source_ip is {text!r}, which is not an IP address or CIDR") from None
    if network.prefixlen == 0:
        raise InvalidRecord(f"source_ip is {text!r}, which would admit the whole Internet")
    if network.prefixlen < network.max_prefixlen:
        return str(network)
    address = network.network_address
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
