"""OpenSIPS's management interface: JSON-RPC 2.0 over a Unix datagram socket.

A request and its answer are a datagram each, of at most 65,457 bytes; OpenSIPS cuts a longer answer off.
"""

import contextlib
import itertools
import json
import os
import socket
from pathlib import Path
from typing import Any

from opensips_scheduler.errors import ManagementError, Unreachable

_ANSWER_MAXIMUM = 65_536


def request(identifier: int, method: str, parameters: dict[str, Any] | None = None) -> bytes:
    """Return the datagram of a command."""
    message: dict[str, Any] = {"jsonrpc": "2.0", "id": identifier, "method": method}
    if parameters:
        message["params"] = parameters
    return json.dumps(message).encode()


def result(answer: bytes, identifier: int, method: str) -> Any:
    """Return the result in an answer, None when it answers another request.

    Raises:
        ManagementError: when OpenSIPS refused the command, or the answer is cut off or none at all.

    """
    try:
        message = json.loads(answer)
    except ValueError:
        raise ManagementError(f"{method}: the answer of {len(answer)} bytes is cut off or no JSON") from None
    if not isinstance(message, dict):
        raise ManagementError(f"{method}: the answer is no JSON-RPC response")
    if message.get("id") not in (identifier, str(identifier), None):
        return None
    if "error" in message:
        error = message["error"] if isinstance(message["error"], dict) else {}
        raise ManagementError(f"{method}: {error.get('code')} {error.get('message')}")
    return message.get("result", "")


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
            Unreachable: when OpenSIPS does not answer.
            ManagementError: when it refuses, or its answer cannot be read.

        """
        identifier = next(self._identifiers)
        with contextlib.suppress(FileNotFoundError):
            self._own.unlink()  # of an earlier command that was killed
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            try:
                client.bind(str(self._own))
                os.chmod(self._own, 0o660)
                client.settimeout(self._seconds)
                client.sendto(request(identifier, method, parameters), str(self._path))
                while True:
                    found = result(client.recv(_ANSWER_MAXIMUM), identifier, method)
                    if found is not None:
                        return found
            except OSError as error:
                reason = "no answer" if isinstance(error, TimeoutError) else error.strerror
                raise Unreachable(f"{method}: {reason} from {self._path}") from error
            finally:
                with contextlib.suppress(FileNotFoundError):
                    self._own.unlink()
