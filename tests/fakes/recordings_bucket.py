"""S3 over HTTP, as far as a recording is uploaded to it in one piece."""

from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote

from tests.fakes.quiet_server import ServedFake


class RecordingsBucketServer(ServedFake):
    """S3 on 127.0.0.1, as a context, for other processes than this one.

    Attributes:
        objects: what was put, by key; the bucket is not looked at.
        delay: seconds that a put takes.

    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.delay = 0.0
        super().__init__(_handler_of(self))

    def put(self, path: str, content: bytes) -> None:
        """Keep an object."""
        self.released.wait(self.delay)
        _, _, key = unquote(path).lstrip("/").partition("/")
        self.objects[key] = content


def _handler_of(bucket: RecordingsBucketServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            length = int(self.headers["Content-Length"])
            content = self.rfile.read(length)
            if len(content) < length:
                return  # whoever was sending it is gone
            bucket.put(self.path, content)
            self.send_response(200)
            self.send_header("ETag", '"etag"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing; what came is in `objects`."""

    return Handler
