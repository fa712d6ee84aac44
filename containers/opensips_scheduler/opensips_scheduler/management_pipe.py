"""OpenSIPS's management interface over named pipes: for answers of any length.

OpenSIPS reads `:<name>:<request>` from its pipe, and writes the answer in pieces to the pipe `<name>` in the same
directory, which it then closes. One process of its own serves all requests, one after the other; one whose reader went
away is given up. So it is used to read back what was loaded, and for nothing that is in a hurry.
"""

import contextlib
import errno
import itertools
import os
import select
import time
from pathlib import Path
from typing import Any, Final

from opensips_scheduler import json_rpc
from opensips_scheduler.errors import ManagementError, NotRunning, Unreachable

ANSWER_MAXIMUM: Final = 16 * 1024 * 1024
"""Bytes; 10,000 addresses are one million."""

_REQUEST_MAXIMUM: Final = 4_000
"""OpenSIPS's buffer, and what a pipe takes in one piece, are 4096 bytes."""


class ManagementPipe:
    """Sends commands, one after the other. Each thread has one of its own.

    Args:
        path: OpenSIPS's pipe.
        own: the pipe that answers come through, made in the same directory; its name has letters, digits and `-` only.
        seconds: how long the whole answer is waited for.

    """

    def __init__(self, path: Path, own: Path, seconds: float = 5.0) -> None:
        self._path, self._own, self._seconds = path, own, seconds
        self._identifiers = itertools.count(1)

    def call(self, method: str, parameters: dict[str, Any] | None = None) -> Any:
        """Return what a command comes to.

        Raises:
            NotRunning: when nobody reads OpenSIPS's pipe.
            Unreachable: when OpenSIPS does not answer in time.
            ManagementError: when it refuses, or its answer cannot be read.

        """
        identifier = next(self._identifiers)
        line = f":{self._own.name}:".encode() + json_rpc.request(identifier, method, parameters) + b"\n"
        if len(line) > _REQUEST_MAXIMUM:
            raise ManagementError(f"{method}: a request of {len(line)} bytes is too long for the pipe")
        with contextlib.suppress(FileNotFoundError):
            self._own.unlink()  # a new pipe for each answer: a late one to an earlier request finds no reader
        os.mkfifo(self._own)
        try:
            os.chmod(self._own, 0o660)
            reader = os.open(self._own, os.O_RDONLY | os.O_NONBLOCK)
            try:
                deadline = time.monotonic() + self._seconds
                self._send(method, line)
                answer = self._receive(method, reader, deadline)
            finally:
                os.close(reader)
        finally:
            with contextlib.suppress(FileNotFoundError):
                self._own.unlink()
        message = json_rpc.parse(answer, method)
        if not json_rpc.belongs_to(message, identifier):
            raise ManagementError(f"{method}: the answer is to another request")
        return json_rpc.result(message, method)

    def _send(self, method: str, line: bytes) -> None:
        try:
            writer = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in (errno.ENXIO, errno.ENOENT):
                raise NotRunning(f"{method}: nobody reads {self._path}") from error
            raise Unreachable(f"{method}: {error.strerror}: {self._path}") from error
        try:
            os.write(writer, line)
        except OSError as error:
            raise Unreachable(f"{method}: {error.strerror}: {self._path}") from error
        finally:
            os.close(writer)

    def _receive(self, method: str, reader: int, deadline: float) -> bytes:
        poll, answer = select.poll(), bytearray()
        poll.register(reader, select.POLLIN)
        while (left := deadline - time.monotonic()) > 0:
            if not poll.poll(left * 1000):
                break
            piece = os.read(reader, 65_536)
            if not piece:
                return bytes(answer)
            answer += piece
            if len(answer) > ANSWER_MAXIMUM:
                raise ManagementError(f"{method}: the answer is longer than {ANSWER_MAXIMUM} bytes")
        raise Unreachable(f"{method}: no whole answer from {self._path} in {self._seconds} seconds")
