"""Which permission lets an address in, as OpenSIPS decides it, and which permissions are dangerous to give.

OpenSIPS (3.6, module permissions, `get_source_group`) goes through the groups by their number, and takes the first one
that has an address or a network with the caller in it. So the lowest group wins, not the narrowest network.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from routing import Address

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

GROUP_MAXIMUM: Final = 32_767
"""OpenSIPS reads the group of an address into a short; the gateways' scheduler skips rows with a larger one."""

_UNMATCHED_IPV6_LENGTH: Final = 32
"""OpenSIPS 3.6 takes every mask of 32 bits for that of a single address, an IPv6 network's, too: it matches nobody."""

_WIDE: Final = {4: 16, 6: 33}
"""Prefix lengths below which a network is no carrier's: more than 65,536 addresses, or an IPv6 provider's whole."""


@dataclass(frozen=True, slots=True)
class Match:
    """A row that has the address in it.

    Attributes:
        address: the row.
        unusable: why gateways do not use it all the same; None when they do.

    """

    address: Address
    unusable: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a gateway does with a call from an address.

    Attributes:
        caller: the address, as OpenSIPS sees it.
        matches: every row that has it in it, the one that decides first.
        group: the group whose switches take the call; None for a 403.

    """

    caller: IPAddress
    matches: tuple[Match, ...]
    group: int | None


def parse_caller(text: str) -> IPAddress:
    """Return an address as OpenSIPS sees it: an IPv4 address that is mapped into IPv6 is IPv4.

    Raises:
        ValueError: when it is no single IP address.

    """
    caller = ipaddress.ip_address(text)
    mapped = caller.ipv4_mapped if isinstance(caller, ipaddress.IPv6Address) else None
    return mapped or caller


def decide(caller: IPAddress, rows: Iterable[Address]) -> Decision:
    """Return what the public gateway does with a call from `caller`."""
    matches = [Match(row, unusable(row)) for row in rows if caller in network_of(row)]
    matches.sort(
        key=lambda each: (each.unusable is not None, each.address.group_id, -network_of(each.address).prefixlen)
    )
    usable = [match for match in matches if match.unusable is None]
    return Decision(caller, tuple(matches), usable[0].address.group_id if usable else None)


def network_of(row: Address) -> IPNetwork:
    """Return a row's network; a single address is one of its full length."""
    return ipaddress.ip_network(row.source_ip)


def unusable(row: Address) -> str | None:
    """Return why no gateway uses a row, None when they do."""
    network = network_of(row)
    if row.group_id > GROUP_MAXIMUM:
        return f"group {row.group_id} is more than OpenSIPS can hold ({GROUP_MAXIMUM})"
    if network.version == 6 and network.prefixlen == _UNMATCHED_IPV6_LENGTH:
        return "OpenSIPS matches nobody in an IPv6 network of 32 bits; permit its two halves of 33 bits"
    return None


def danger(row: Address) -> str | None:
    """Return why a permission should not be given without a second thought; None when there is no reason."""
    network = network_of(row)
    if network.prefixlen < _WIDE[network.version]:
        addresses = f"{network.num_addresses:,}" if network.version == 4 else f"2^{128 - network.prefixlen}"
        return f"it lets {addresses} addresses call without a password"
    if network.is_loopback or network.is_multicast or network.is_unspecified or network.is_link_local:
        return "no carrier calls from there: it is a loopback, link-local, multicast or unspecified address"
    return None
