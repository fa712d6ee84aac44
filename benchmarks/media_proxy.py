"""What a call costs the media proxy: CPU of rtpengine while calls talk both ways, and packets that get lost.

Calls are set up over its control protocol as the client gateway does it. Then each side of each sends a packet of 160
bytes of audio every 20 ms, in real time, from this process. rtpengine forwards in its own threads, as in its container,
and not in the kernel. Needs rtpengine.

    make bench, or python -m benchmarks.media_proxy [--calls 25 50 100] [--seconds 5]
"""

import argparse
import contextlib
import socket
import struct
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.containers.media_proxy.ng import Media, NgClient
from tests.support import media_proxy
from tests.support.cpu_time import cpu_seconds
from tests.support.loopback import LoopbackNetwork
from tests.support.media_proxy import MediaProxy

_FRAME_SECONDS = 0.02
_SETTLING_SECONDS = 1.0
"""rtpengine learns within this time where each side really is."""


@dataclass(frozen=True)
class _End:
    """One side of a call: its own socket, and where it sends."""

    socket: socket.socket
    to: tuple[str, int]
    source: int

    def send(self, number: int) -> None:
        """Send the packet of this number."""
        head = struct.pack("!BBHII", 0x80, 0, number & 0xFFFF, number * 160, self.source)
        self.socket.sendto(head + b"\x7f" * 160, self.to)

    def received(self) -> int:
        """Take what has come, and return how many packets that was."""
        count = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                self.socket.recv(2048)
                count += 1
        return count


def _socket(address: str) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((address, 0))
    made.setblocking(False)
    return made


def _call(gateway: NgClient, number: int, client: str, switch: str) -> list[_End]:
    """Set a call up, and return its two ends."""
    caller, callee = _socket(client), _socket(switch)
    call = {"call_id": f"call-{number}", "from_tag": "caller"}
    offered = Media.of(gateway.ask(command="offer", **call, sdp=_description(caller), direction=["public", "private"]))
    answered = Media.of(gateway.ask(command="answer", **call, to_tag="callee", sdp=_description(callee)))
    return [
        _End(caller, (answered.address, answered.port), number),
        _End(callee, (offered.address, offered.port), number + 1_000_000),
    ]


def _description(end: socket.socket) -> str:
    address, port = end.getsockname()
    return Media(address, port).description()


def _talk(ends: Sequence[_End], seconds: float, number: int) -> tuple[int, int, int]:
    """Send in real time; return the next packet's number, and how many packets were sent and came."""
    sent, came, due = 0, 0, time.monotonic()
    until = due + seconds
    while due < until:
        for end in ends:
            end.send(number)
        sent, number = sent + len(ends), number + 1
        came += sum(end.received() for end in ends)
        due += _FRAME_SECONDS
        time.sleep(max(0.0, due - time.monotonic()))
    time.sleep(0.1)
    return number, sent, came + sum(end.received() for end in ends)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, nargs="+", default=[25, 50, 100])
    parser.add_argument("--seconds", type=float, default=5.0)
    arguments = parser.parse_args()
    if media_proxy.BINARY is None:
        print(f"left out: {media_proxy.MISSING}")
        return
    network = LoopbackNetwork()
    address, client, switch = network.address(), network.address(), network.address()
    print("calls  packets/s  CPU of a call, ms a second  lost")
    for calls in arguments.calls:
        with (
            tempfile.TemporaryDirectory() as directory,
            MediaProxy(Path(directory), address, address) as proxy,
            NgClient(address) as gateway,
        ):
            ends = [end for number in range(calls) for end in _call(gateway, number, client, switch)]
            number, _, _ = _talk(ends, _SETTLING_SECONDS, 0)
            before, began = cpu_seconds(proxy.rtpengine), time.monotonic()
            _, sent, came = _talk(ends, arguments.seconds, number)
            used, took = cpu_seconds(proxy.rtpengine) - before, time.monotonic() - began
            for end in ends:
                end.socket.close()
        cost = used / took / calls * 1000
        print(f"{calls:5}  {sent / took:9,.0f}  {cost:26.2f}  {1 - came / sent:.3%}")


if __name__ == "__main__":
    main()
