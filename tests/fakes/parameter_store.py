"""The one request of SSM that programs make here: a parameter by name."""

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.fakes.quiet_server import ServedFake


class ParameterStore(ServedFake):
    """A parameter store, as a context; AWS clients find it by `AWS_ENDPOINT_URL`.

    Args:
        parameters: by name.

    Attributes:
        reads: names that were asked for.

    """

    def __init__(self, parameters: dict[str, str]) -> None:
        self.parameters = parameters
        self.reads: list[str] = []
        super().__init__(_handler_of(self))

    def answer(self, target: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Answer a request."""
        name = str(body.get("Name"))
        self.reads.append(name)
        if target != "AmazonSSM.GetParameter" or name not in self.parameters:
            return 400, {"__type": "ParameterNotFound", "message": name}
        value = self.parameters[name] if body.get("WithDecryption") else "encrypted"
        return 200, {"Parameter": {"Name": name, "Type": "SecureString", "Value": value}}


def _handler_of(store: ParameterStore) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = store.answer(self.headers["X-Amz-Target"], body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler
