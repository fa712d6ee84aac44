"""Which IP addresses a customer's URL may lead to: none of the network that the switch itself is in.

IANA's registries of special addresses, written out because what Python calls global differs from version to version:
https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Network = IPv4Network | IPv6Network

_REFUSED: Final[Sequence[Network]] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network; Linux takes 0.0.0.0 for the host itself
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared with a carrier's NAT; VPCs use it too
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, with the metadata services of EC2 and ECS
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "::1/128",
        "::ffff:0:0:0/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",  # protocols, Teredo among them: an IPv4 address is hidden in it
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",  # unique local; EC2's metadata service is fd00:ec2::254
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")


def is_allowed(address: str, allowed: Sequence[Network] = ()) -> bool:
    """Whether a connection may be made to an address.

    Args:
        address: as a socket has it; an IPv6 one with its zone, or without.
        allowed: networks that may be reached although they are not public.

    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    candidate = _embedded(parsed)
    if any(candidate in network for network in allowed if network.version == candidate.version):
        return True
    return not any(candidate in network for network in _REFUSED if network.version == candidate.version)


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that packets to an IPv6 one really reach, where there is such a one."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64 or (int(address) >> 32 == 0 and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
