"""The messages of OpenSIPS's management interface: JSON-RPC 2.0, whatever carries them."""

import json
from typing import Any

from opensips_scheduler.errors import ManagementError


def request(identifier: int, method: str, parameters: dict[str, Any] | None = None) -> bytes:
    """Return the message of a command."""
    message: dict[str, Any] = {"jsonrpc": "2.0", "id": identifier, "method": method}
    if parameters:
        message["params"] = parameters
    return json.dumps(message).encode()


def parse(answer: bytes, method: str) -> dict[str, Any]:
    """Return an answer as an object.

    Raises:
        ManagementError: when it is cut off or none at all.

    """
    try:
        message = json.loads(answer)
    except ValueError:
        raise ManagementError(f"{method}: the answer of {len(answer)} bytes is cut off or no JSON") from None
    if not isinstance(message, dict):
        raise ManagementError(f"{method}: the answer is no JSON-RPC response")
    return message


def belongs_to(message: dict[str, Any], identifier: int) -> bool:
    """Tell whether an answer is to this request; an earlier one that was given up may be answered late.

    An answer without identifier is to a request that OpenSIPS could not read, which only the present one can be.
    """
    return message.get("id") in (identifier, str(identifier), None)


def result(message: dict[str, Any], method: str) -> Any:
    """Return what a command came to; None where it has nothing to say.

    Raises:
        ManagementError: when OpenSIPS refused it.

    """
    if "error" in message:
        error = message["error"] if isinstance(message["error"], dict) else {}
        raise ManagementError(f"{method}: {error.get('code')} {error.get('message')}")
    return message.get("result")
