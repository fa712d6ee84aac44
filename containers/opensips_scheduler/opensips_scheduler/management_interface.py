"""OpenSIPS's management interface over a Unix datagram socket: quick, and several commands at a time.

A request and its answer are a datagram each, of at most 65,457 bytes; OpenSIPS cuts a longer answer off, for which
`management_pipe` is there.
"""

import contextlib
import itertools
import os
import socket
import time
from pathlib import Path
from typing import Any

from opensips_scheduler import json_rpc
from opensips_scheduler.errors import NotRunning, Unreachable

_ANSWER_MAXIMUM = 65_536


class ManagementInterface:
    """Sends commands, one after the other. Each thread has one of its own.

    Args:
        path: OpenSIPS's socket.
        own: where the answers come to; a socket is made there.
        seconds: how long an answer is waited for.

    """

    def __init__(self, path: Path, own: Path, seconds: float = 5.0) -> None:
        self._path, self._own, self._seconds = path, own, seconds
        self._identifiers = itertools.count(1)

    def call(self, method: str, parameters: dict[str, Any] | None = None) -> Any:
        """Return what a command comes to.

        Raises:
            NotRunning: when nobody listens.
            Unreachable: when OpenSIPS does not answer in time.
            ManagementError: when it refuses, or its answer cannot be read.

        """
        identifier = next(self._identifiers)
        with contextlib.suppress(FileNotFoundError):
            self._own.unlink()  # of an earlier command that was killed
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            try:
                client.bind(str(self._own))
                os.chmod(self._own, 0o660)
                deadline = time.monotonic() + self._seconds
                client.settimeout(self._seconds)
                client.sendto(json_rpc.request(identifier, method, parameters), str(self._path))
                while True:
                    message = json_rpc.parse(client.recv(_ANSWER_MAXIMUM), method)
                    if json_rpc.belongs_to(message, identifier):
                        return json_rpc.result(message, method)
                    client.settimeout(max(deadline - time.monotonic(), 0.001))
            except (FileNotFoundError, ConnectionRefusedError) as error:
                raise NotRunning(f"{method}: nobody listens at {self._path}") from error
            except OSError as error:
                reason = "no answer" if isinstance(error, TimeoutError) else error.strerror
                raise Unreachable(f"{method}: {reason} from {self._path}") from error
            finally:
                with contextlib.suppress(FileNotFoundError):
                    self._own.unlink()
