"""A host that neither takes nor refuses a connection, as one whose address swallows packets."""

import socket
from typing import Self


class SilentHost:
    """A listening socket whose queue is full, as a context: the kernel drops what asks for a connection.

    Args:
        address: where it is silent.
        port: see `address`; 0 for one that is free.

    """

    def __init__(self, address: str, port: int = 0) -> None:
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((address, port))
        self._listener.listen(0)
        self.address, self.port = self._listener.getsockname()
        self._waiting: list[socket.socket] = []

    def __enter__(self) -> Self:
        while len(self._waiting) < 10:
            waiting = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            waiting.settimeout(0.2)
            self._waiting.append(waiting)
            try:
                waiting.connect((self.address, self.port))
            except TimeoutError:
                return self
        raise RuntimeError("the queue takes every connection")

    def __exit__(self, *_: object) -> None:
        for each in (*self._waiting, self._listener):
            each.close()
