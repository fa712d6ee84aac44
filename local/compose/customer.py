"""A customer's server for `local/compose.yaml`: it greets whoever calls, and says back the digits that are pressed.

    python -m local.compose.customer <port>
    curl http://127.0.0.1:<port>/pressed

`VOICE_DIRECTORY` may hold documents of one's own: `/voice.xml` is answered with the file of that name.
"""

import json
import os
import sys
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape

from tests.fakes.customer_server import CustomerServer, Received, Reply, twiml

_GREETING = (
    '<Gather action="/digits" finishOnKey="#" timeout="10">'
    "<Say>Welcome to Somleng Switch. Press some digits, and then the hash key.</Say>"
    "</Gather>"
    "<Say>Good bye.</Say>"
)


class Customer(CustomerServer):
    """The server; documents of the directory go before its own.

    Args:
        port: where it listens.
        directory: documents, by the path that they are asked for by; None for none.

    """

    def __init__(self, port: int, directory: Path | None) -> None:
        super().__init__(port, address="0.0.0.0")  # noqa: S104 - it is in a network of its own
        self._directory = directory

    def next_reply(self, request: Received) -> Reply:
        """Note a request, and return the document."""
        super().next_reply(request)
        print(f"{request.method} {quote(request.path)}", flush=True)
        if (document := self._document(request.path)) is not None:
            return document
        if request.path == "/health":
            return Reply("ok")
        if request.path == "/voice.xml":
            return twiml(_GREETING)
        if request.path == "/pressed":
            return Reply(json.dumps(self.pressed()), headers=[("Content-Type", "application/json")])
        if request.path == "/digits":
            digits = " ".join(dict(request.form).get("Digits", ""))
            return twiml(f'<Say>You pressed {escape(digits)}.</Say><Redirect method="POST">/voice.xml</Redirect>')
        return self.default

    def pressed(self) -> list[dict[str, str]]:
        """Return who pressed which digits in a call to which number, in their order."""
        forms = [dict(request.form) for request in list(self.requests) if request.path == "/digits"]
        return [{name.lower(): form.get(name, "") for name in ("From", "To", "Digits")} for form in forms]

    def _document(self, path: str) -> Reply | None:
        name = path.removeprefix("/")
        if self._directory is None or not name or "/" in name or name.startswith("."):
            return None
        file = self._directory / name
        if not file.is_file():
            return None
        kind = "text/xml" if file.suffix == ".xml" else "application/octet-stream"
        return Reply(file.read_bytes(), headers=[("Content-Type", kind)])


def main(port: int) -> None:
    """Serve until the process is told to stop."""
    directory = os.environ.get("VOICE_DIRECTORY")
    Customer(port, Path(directory) if directory else None).serve()


if __name__ == "__main__":
    main(int(sys.argv[1]))
