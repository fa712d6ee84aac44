"""OpenSIPS's management interface over its Unix datagram socket, as a test uses it."""

import itertools
import json
import os
import socket
import tempfile
from pathlib import Path
from typing import Any

_numbers = itertools.count(1)


def command(path: Path, method: str, timeout: float = 5.0, **params: Any) -> Any:
    """Send a command to the socket at `path` and return its result."""
    own = Path(tempfile.gettempdir()) / f"mi-{os.getpid()}-{next(_numbers)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.bind(str(own))
        try:
            client.settimeout(timeout)
            request = {"jsonrpc": "2.0", "id": 1, "method": method, **({"params": params} if params else {})}
            client.sendto(json.dumps(request).encode(), str(path))
            answer = json.loads(client.recv(65_536))
        finally:
            own.unlink()
    if "error" in answer:
        raise RuntimeError(f"{method}: {answer['error']}")
    return answer["result"]
