"""A customer's web server: TwiML and audio from a directory, and a note of every request for them.

    python -m local.voice.customer 127.0.0.1 8000 documents

`/menu.xml` is the file `menu.xml`, read anew each time. What was asked for goes to `requests.jsonl` in that directory,
a JSON object a line: time, method, path and parameters. A second directory may follow, whose files go before those.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from local.processes import Server
from local.servers import answers, base_environment

REQUESTS = "requests.jsonl"
_TYPES = {".xml": "text/xml; charset=utf-8", ".wav": "audio/wav", ".mp3": "audio/mpeg"}
_BODY_MAXIMUM = 1024 * 1024


def customer(
    directory: Path, documents: Path, address: str, port: int, environment: dict[str, str], own: Path | None = None
) -> Server:
    """Return the server as a process with its log in a directory; documents of one's own go before the others."""
    folders = [str(documents), *([str(own.resolve())] if own else [])]
    command = [sys.executable, "-m", "local.voice.customer", address, str(port), *folders]
    url = f"http://{address}:{port}/"
    return Server("customer", command, {**base_environment(), **environment}, directory, lambda: answers(url))


def _handler_of(folders: Sequence[Path], note: Callable[[dict[str, Any]], None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), _BODY_MAXIMUM)).decode()
            url = urlsplit(self.path)
            if url.path == "/":
                self._send(HTTPStatus.OK, "text/plain", b"a customer's server\n")
                return
            parameters = dict(parse_qsl(f"{url.query}&{body}", keep_blank_values=True))
            signed = "X-Twilio-Signature" in self.headers
            asked = {"method": self.command, "path": url.path, "signed": signed, "parameters": parameters}
            note({"time": time.time(), **asked})
            name = Path(url.path).name  # flat directories: nothing leads out of them
            file = next((folder / name for folder in folders if (folder / name).is_file()), None)
            kind = _TYPES.get(file.suffix) if file else None
            if file is None or kind is None:
                self._send(HTTPStatus.NOT_FOUND, "text/plain", b"not found\n")
            else:
                self._send(HTTPStatus.OK, kind, file.read_bytes())

        def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            if self.path != "/":
                print(format % args, flush=True)

    return Handler


def serve(address: str, port: int, documents: Path, own: Path | None = None) -> None:
    """Serve until the process is told to stop."""
    notes = documents / REQUESTS

    def note(request: dict[str, Any]) -> None:
        with notes.open("a") as file:  # one write: lines of requests at the same time stay whole
            file.write(json.dumps(request) + "\n")

    server = ThreadingHTTPServer((address, port), _handler_of([own, documents] if own else [documents], note))
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), *map(Path, sys.argv[3:]))
