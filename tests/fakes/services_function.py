"""The services function behind Lambda's API, as far as the switch app invokes it."""

import json
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote

from tests.fakes.quiet_server import ServedFake


class ServicesFunction(ServedFake):
    """The function on 127.0.0.1, as a context.

    Attributes:
        contacts: address and gateway of each client that is registered.
        mode: `error` for a failing Lambda, `function_error` for a failing function, `nonsense` for a wrong answer.
        invocations: ARN and payload of each.

    """

    def __init__(self) -> None:
        self.contacts: dict[str, tuple[str, str]] = {}
        self.mode = ""
        self.invocations: list[tuple[str, Any]] = []
        super().__init__(_handler_of(self))

    def invoke(self, function: str, payload: Any) -> tuple[int, dict[str, str], Any]:
        """Return status, headers and payload for an invocation."""
        self.invocations.append((function, payload))
        if self.mode == "error":
            return 500, {"X-Amzn-ErrorType": "ServiceException"}, {"Message": "no"}
        if self.mode == "function_error":
            return 200, {"X-Amz-Function-Error": "Unhandled"}, {"errorMessage": "no", "errorType": "InvalidEvent"}
        if self.mode == "nonsense":
            return 200, {}, "nonsense"
        parameters = payload["parameters"]
        address, proxy = self.contacts.get(parameters["client_identifier"], (None, None))
        destination = None if address is None else f"{parameters['destination']}@{address}"
        return 200, {}, {"destination_address": destination, "proxy_address": proxy}


def _handler_of(function: ServicesFunction) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = unquote(self.path).removeprefix("/2015-03-31/functions/").removesuffix("/invocations")
            status, headers, answer = function.invoke(name, payload)
            content = json.dumps(answer).encode()
            self.send_response(status)
            for header, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(header, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing; what came is in `invocations`."""

    return Handler
