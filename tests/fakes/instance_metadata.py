"""EC2's instance metadata, as far as the containers ask for it: IMDSv2, which tells only who shows a token."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def instance_metadata(
    address: str, public_address: str | Callable[[], str | None] | None, instance_id: str | None = None
) -> Iterator[str]:
    """Serve it at an address; give its URL. Without public address it answers 404, as EC2 does."""

    def answer(path: str) -> str | None:
        if path == "/latest/meta-data/public-ipv4":
            return public_address() if callable(public_address) else public_address
        return instance_id if path == "/latest/meta-data/instance-id" else None

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            lifetime = self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
            self.reply("secret-token" if self.path == "/latest/api/token" and lifetime else None)

        def do_GET(self) -> None:
            if self.headers["X-aws-ec2-metadata-token"] != "secret-token":
                self.send_error(401)
            else:
                self.reply(answer(self.path))

        def reply(self, text: str | None) -> None:
            if text is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer((address, 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://{address}:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()
