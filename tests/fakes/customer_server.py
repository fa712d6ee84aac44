"""A customer's web server: documents and audio as scripted, and everything that such a server can do wrong."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.quiet_server import QuietServer


@dataclass(frozen=True)
class Reply:
    """What a request is answered with.

    Attributes:
        body: what is sent; text as UTF-8.
        status: HTTP status.
        headers: in their order; a name may come twice.
        delay: seconds before anything is sent.
        pause: seconds between the body's bytes, which are sent one by one then.
        endless: whether the body is sent over and over, without a length, until the client has enough.
        broken: whether the connection ends before there is an answer.

    """

    body: bytes | str = b""
    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    delay: float = 0.0
    pause: float = 0.0
    endless: bool = False
    broken: bool = False

    @property
    def content(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else self.body


def twiml(verbs: str) -> Reply:
    """Return a document with some verbs."""
    return Reply(f"<Response>{verbs}</Response>", headers=[("Content-Type", "text/xml")])


def redirect(location: str, status: int = 302) -> Reply:
    """Return the answer that what is asked for is elsewhere."""
    return Reply(status=status, headers=[("Location", location)])


@dataclass(frozen=True)
class Received:
    """A request that came; header names are in lower case."""

    method: str
    url: str
    """The whole URL, as the server sees it."""
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.url).query, keep_blank_values=True)

    @property
    def form(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode(), keep_blank_values=True)


@dataclass
class _Script:
    replies: list[Reply] = field(default_factory=list)

    def next(self) -> Reply:
        """Return the next reply; the last one is repeated."""
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


class CustomerServer:
    """A server, as a context.

    Args:
        port: where it listens; 0 for a port that is free.
        address: on which of this machine's addresses.

    Attributes:
        requests: what came, in its order.
        default: what is answered for a path without a script.

    """

    def __init__(self, port: int = 0, address: str = "127.0.0.1") -> None:
        self.requests: list[Received] = []
        self.default = Reply("not found", 404)
        self._scripts: dict[str, _Script] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._server = QuietServer((address, port), _handler_of(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def reply(self, path: str, *replies: Reply) -> str:
        """Answer requests for a path with some replies, one after the other, the last one for good; return its URL."""
        with self._lock:
            self._scripts[path] = _Script(list(replies))
        return self.url + path

    def paths(self) -> list[str]:
        """Return the paths that were asked for, in their order."""
        return [request.path for request in self.requests]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def serve(self) -> None:
        """Answer requests in this thread until the process is told to stop."""
        self._server.serve_forever()

    def next_reply(self, request: Received) -> Reply:
        """Note a request and return what it is answered with."""
        with self._lock:
            self.requests.append(request)
            script = self._scripts.get(request.path)
            return self.default if script is None else script.next()

    def wait(self, seconds: float) -> bool:
        """Wait, or less when the server stops; return whether it goes on."""
        return not self._stopped.wait(seconds) if seconds else not self._stopped.is_set()


def _handler_of(server: CustomerServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # headers and body are written apart: the body would wait for a late ACK

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            # Not `path`, in which the library makes one slash of several at the beginning.
            url = f"http://{headers.get('host')}{self.requestline.split()[1]}"
            reply = server.next_reply(Received(self.command, url, headers, body))
            if not server.wait(reply.delay) or reply.broken:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            if reply.endless:
                self.close_connection = True
            elif reply.status not in (204, 304):
                self.send_header("Content-Length", str(len(reply.content)))
            self.end_headers()
            try:
                self._send(reply)
            except OSError:
                self.close_connection = True  # the client has had enough

        def _send(self, reply: Reply) -> None:
            if reply.endless:
                while server.wait(0):
                    self.wfile.write(reply.content)
            elif reply.pause:
                for number in range(len(reply.content)):
                    self.wfile.write(reply.content[number : number + 1])
                    if not server.wait(reply.pause):
                        return
            elif reply.status not in (204, 304):
                self.wfile.write(reply.content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing; what came is in `requests`."""

    return Handler
