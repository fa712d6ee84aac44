"""`GET /health`: how old the data is, how far behind the journal, and what went wrong last."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class HealthServer:
    """Answers `GET /health` on 127.0.0.1 with a report as JSON.

    Args:
        port: where; 0 for a port that is free.
        report: makes the report; its `healthy` decides between 200 and 503.

    """

    def __init__(self, port: int, report: Callable[[], dict[str, Any]]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler_of(report))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()


def _handler_of(report: Callable[[], dict[str, Any]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            found = report() if self.path == "/health" else None
            status = 404 if found is None else 200 if found["healthy"] else 503
            body = json.dumps(found if found is not None else {"error": "there is only /health"}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: health checks come every few seconds."""

    return Handler
