"""The call platform's services API, as far as the switch calls it.

As a process of its own, it reads CALL_PLATFORM_USERNAME and CALL_PLATFORM_PASSWORD, and shows what it was told:

    python -m tests.fakes.call_platform 3000
    curl http://127.0.0.1:3000/capacities
"""

import base64
import json
import os
import secrets
import sys
import threading
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

_BODY_MAXIMUM = 64 * 1024


@dataclass(frozen=True)
class Request:
    """A request that came, whatever it was answered with; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


class CallPlatform:
    """A platform, as a context: while it lasts, the platform answers at `url`.

    Args:
        username: basic auth user that it lets in.
        password: may be changed while it runs, as a rotation does.
        port: where to listen on 127.0.0.1; 0 for a port that is free.

    Attributes:
        answers: statuses to answer the next accepted requests with, instead of what they deserve.
        delay: seconds to wait before answering.

    """

    def __init__(self, username: str, password: str, port: int = 0) -> None:
        self.username, self.password = username, password
        self.answers: list[int] = []
        self.delay = 0.0
        self.requests: list[Request] = []
        self.capacities: list[tuple[str, int]] = []
        """Region alias and capacity, as they were told."""
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler_of(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def serve(self) -> None:
        """Answer requests in this thread until the process is told to stop."""
        self._server.serve_forever()

    def answer(self, request: Request) -> tuple[int, Any]:
        """Return status and body for a request."""
        self.requests.append(request)
        if request.method == "GET" and request.path == "/capacities":
            return HTTPStatus.OK, [{"region": region, "capacity": capacity} for region, capacity in self.capacities]
        self._released.wait(self.delay)
        if not self._is_authorised(request.headers.get("authorization", "")):
            return HTTPStatus.UNAUTHORIZED, {"error": "wrong credentials"}
        if self.answers:
            return self.answers.pop(0), {}
        if (request.method, request.path) != ("POST", "/call_service_capacities"):
            return HTTPStatus.NOT_FOUND, {"error": "no such resource"}
        return self._update_capacity(request)

    def _is_authorised(self, header: str) -> bool:
        credentials = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return secrets.compare_digest(header.encode(), f"Basic {credentials}".encode())

    def _update_capacity(self, request: Request) -> tuple[int, Any]:
        body = request.body if isinstance(request.body, dict) else {}
        region, capacity = body.get("region"), body.get("capacity")
        if not isinstance(region, str) or type(capacity) is not int or capacity < 0:
            return HTTPStatus.UNPROCESSABLE_ENTITY, {"error": "region or capacity is missing or wrong"}
        self.capacities.append((region, capacity))
        return HTTPStatus.OK, {}


def _handler_of(platform: CallPlatform) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            length = min(int(self.headers.get("Content-Length") or 0), _BODY_MAXIMUM)
            text = self.rfile.read(length)
            try:
                body = json.loads(text) if text else None
            except ValueError:
                body = text.decode(errors="replace")
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answer = platform.answer(Request(self.command, self.path, headers, body))
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            if status == HTTPStatus.UNAUTHORIZED:
                self.send_header("WWW-Authenticate", 'Basic realm="services"')
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing; what came is in `requests`."""

    return Handler


if __name__ == "__main__":
    _username, _password = os.environ["CALL_PLATFORM_USERNAME"], os.environ["CALL_PLATFORM_PASSWORD"]
    CallPlatform(_username, _password, int(sys.argv[1])).serve()
