"""Sends and receives audio packets (RTP, RFC 3550), so that a test sees whether people hear each other."""

import socket
import struct
import time
from typing import Self

_PACKET_SECONDS = 0.02
_PCMA = 8


class AudioSocket:
    """An end of an audio stream, as a context.

    Args:
        address: where it is.
        port: see `address`.

    """

    def __init__(self, address: str, port: int = 4000) -> None:
        self.address, self.port = address, port
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, port))
        self._socket.setblocking(False)
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def say(self, sound: int, to: tuple[str, int], packets: int = 10) -> None:
        """Send packets of 20 ms that are full of one sound, a byte, in real time."""
        for _ in range(packets):
            self._sequence += 1
            source = self.port << 16 | 0x5EED
            head = struct.pack("!BBHII", 0x80, _PCMA, self._sequence, self._sequence * 160, source)
            self._socket.sendto(head + bytes([sound]) * 160, to)
            time.sleep(_PACKET_SECONDS)

    def heard(self) -> list[int]:
        """Return the sound of each packet that has come since the last time."""
        sounds = []
        for packet in self.packets():
            sound = set(packet)
            assert len(sound) == 1, f"a packet is not as it was sent: {packet!r}"
            sounds.append(sound.pop())
        return sounds

    def packets(self) -> list[bytes]:
        """Return the audio of each packet that has come since the last time."""
        packets = []
        while True:
            try:
                packets.append(self._socket.recv(2048)[12:])
            except BlockingIOError:
                return packets
