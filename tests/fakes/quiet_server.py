"""An HTTP server that says nothing of clients that leave early: tests make such clients."""

import sys
from http.server import ThreadingHTTPServer
from typing import Any


class QuietServer(ThreadingHTTPServer):
    """A server that reports every error but a connection that the client broke."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report an error, unless the client is gone."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
