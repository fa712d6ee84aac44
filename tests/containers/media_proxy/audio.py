"""Audio of a call: a socket for it, and packets."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def listener(address: str) -> Iterator[socket.socket]:
    """A UDP socket at an address, that waits three seconds for a packet."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind((address, 0))
        opened.settimeout(3)
        yield opened


def rtp(number: int) -> bytes:
    """Return an RTP packet (RFC 3550, section 5.1) with 20 ms of PCMU, each sample the number."""
    header = b"\x80\x00" + number.to_bytes(2) + (160 * number).to_bytes(4) + number.to_bytes(4)
    return header + bytes([number]) * 160
