"""The call platform's services API, as far as the switch calls it.

As a process of its own, it reads CALL_PLATFORM_USERNAME and CALL_PLATFORM_PASSWORD, which the switch shows, and
CALL_SERVICE_USERNAME and CALL_SERVICE_PASSWORD, which it shows the switch. It says what it was told, and has a desk for
people (`call_platform_desk`):

    python -m tests.fakes.call_platform 3000
    curl http://127.0.0.1:3000/capacities
"""

import base64
import json
import os
import secrets
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, Self

from tests.fakes.call_platform_desk import Desk
from tests.fakes.call_platform_resources import Answer, PlatformCall, PlatformResources, Request, decode_record
from tests.fakes.quiet_server import QuietServer

__all__ = ["CallPlatform", "PlatformCall", "Request", "decode_record"]

_BODY_MAXIMUM = 4 * 1024 * 1024


class _Lost(Exception):
    """The request was taken, and the connection breaks before the answer."""


class CallPlatform(PlatformResources):
    """A platform, as a context: while it lasts, the platform answers at `url`.

    Args:
        username: basic auth user that it lets in.
        password: may be changed while it runs, as a rotation does.
        port: where to listen; 0 for a port that is free.
        switch_credentials: what the switches let it in with, for calls that are made at its desk.
        address: on which of this machine's addresses it listens.

    Attributes:
        refused: requests that it refused by its own rules: method, path, status and what it answered.
        answers: statuses to answer the next accepted requests with, instead of what they deserve.
        lost_answers: how many of the next accepted requests are done, and their answer gets lost.
        delay: seconds to wait before answering.

    """

    def __init__(
        self,
        username: str,
        password: str,
        port: int = 0,
        switch_credentials: tuple[str, str] = ("adhearsion", "password"),
        address: str = "127.0.0.1",
    ) -> None:
        super().__init__()
        self.username, self.password = username, password
        self.answers: list[int] = []
        self.lost_answers = 0
        self.delay = 0.0
        self.requests: list[Request] = []
        self.refused: list[dict[str, Any]] = []
        self._desk = Desk(self, switch_credentials)
        self._lock = threading.RLock()
        self._released = threading.Event()
        self._server = QuietServer((address, port), _handler_of(self))
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

    def answer(self, request: Request) -> Answer:
        """Return status and body for a request."""
        if Desk.is_for(request.path):
            return self._desk.answer(request.method, request.path, request.body)
        with self._lock:
            if request.method == "GET" and request.path == "/capacities":
                return HTTPStatus.OK, [{"region": region, "capacity": number} for region, number in self.capacities]
            self.requests.append(request)
        self._released.wait(self.delay)
        if not self._is_authorised(request.headers.get("authorization", "")):
            return self._refuse(request, HTTPStatus.UNAUTHORIZED, {"error": "wrong credentials"})
        with self._lock:
            if self.answers:
                return self.answers.pop(0), {}
            answer = self.route(request)
            if answer[0] >= HTTPStatus.BAD_REQUEST:
                return self._refuse(request, *answer)
            if self.lost_answers > 0:
                self.lost_answers -= 1
                raise _Lost
            return answer

    def _refuse(self, request: Request, status: int, answer: Any) -> Answer:
        noted = {"method": request.method, "path": request.path, "status": int(status), "answer": answer}
        with self._lock:
            self.refused.append(noted)
        return status, answer

    def _is_authorised(self, header: str) -> bool:
        credentials = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return secrets.compare_digest(header.encode(), f"Basic {credentials}".encode())


def _handler_of(platform: CallPlatform) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # headers and body are written apart: the body would wait for a late ACK

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PATCH(self) -> None:
            self._answer()

        def do_PUT(self) -> None:
            self._answer()

        def _answer(self) -> None:
            length = min(int(self.headers.get("Content-Length") or 0), _BODY_MAXIMUM)
            text = self.rfile.read(length)
            try:
                body = json.loads(text) if text else None
            except ValueError:
                body = text.decode(errors="replace")
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                status, answer = platform.answer(Request(self.command, self.path, headers, body, text))
            except _Lost:
                self.close_connection = True
                return
            content = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            if status != HTTPStatus.NO_CONTENT:
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
    _own = os.environ["CALL_PLATFORM_USERNAME"], os.environ["CALL_PLATFORM_PASSWORD"]
    _switches = (
        os.environ.get("CALL_SERVICE_USERNAME", "adhearsion"),
        os.environ.get("CALL_SERVICE_PASSWORD", "password"),
    )
    CallPlatform(*_own, int(sys.argv[1]), _switches).serve()
