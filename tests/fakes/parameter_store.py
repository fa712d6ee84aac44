"""The one request of SSM that programs make here: a parameter by name."""

import json
import threading
from http.server import BaseHTTPRequestHandler
from typing import Any, Self

from tests.fakes.quiet_server import QuietServer


class ParameterStore:
    """A parameter store, as a context; AWS clients find it by `AWS_ENDPOINT_URL`.

    Args:
        parameters: by name.

    Attributes:
        reads: names that were asked for.

    """

    def __init__(self, parameters: dict[str, str]) -> None:
        self.parameters = parameters
        self.reads: list[str] = []
        self._server = QuietServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

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
