"""Connections to hosts that strangers named: none to an address that is none of their business."""

import socket
from collections.abc import Sequence
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver

from switch_app.http.public_addresses import Network, is_allowed


class AddressRefused(OSError):
    """The socket would have connected to an address that is none of a stranger's business."""


def guarded_connector(resolver: AbstractResolver, allowed: Sequence[Network], limit: int) -> aiohttp.TCPConnector:
    """Return what connects, and checks the very address that it is about to connect to.

    Args:
        resolver: looks names up.
        allowed: networks that may be reached although they are not public.
        limit: connections at most; 0 for any number.

    """
    networks = tuple(allowed)

    def make(address: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, peer = address
        if not is_allowed(peer[0], networks):
            raise AddressRefused(f"leads to {peer[0]}, which is not a public address")
        return socket.socket(family=family, type=kind, proto=protocol)

    return aiohttp.TCPConnector(limit=limit, resolver=resolver, socket_factory=make)
