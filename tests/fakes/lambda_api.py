"""Lambda's API over HTTP, as far as operators use it: functions of this process, invoked for real."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote

from tests.fakes.quiet_server import ServedFake

Handler = Callable[[Any], Any]


class LambdaApi(ServedFake):
    """Functions on 127.0.0.1, as a context; AWS clients find it by `AWS_ENDPOINT_URL_LAMBDA`.

    Args:
        functions: by ARN or name. What one raises is the answer, as Lambda's is.
        log_groups: where each says that it logs.

    Attributes:
        invocations: function, invocation type and payload of each.

    """

    def __init__(self, functions: dict[str, Handler], log_groups: dict[str, str]) -> None:
        self.functions, self.log_groups = functions, log_groups
        self.invocations: list[tuple[str, str, Any]] = []
        super().__init__(_handler_of(self))

    def invoke(self, name: str, kind: str, payload: Any) -> tuple[int, dict[str, str], bytes]:
        """Invoke a function: with `Event` nobody waits for its answer."""
        self.invocations.append((name, kind, payload))
        if name not in self.functions:
            return 404, {"X-Amzn-ErrorType": "ResourceNotFoundException"}, b'{"Message": "Function not found"}'
        if kind == "Event":
            return 202, {}, b""
        try:
            return 200, {}, json.dumps(self.functions[name](payload)).encode()
        except Exception as error:  # noqa: BLE001 - as Lambda's runtime does
            said = {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": []}
            return 200, {"X-Amz-Function-Error": "Unhandled"}, json.dumps(said).encode()

    def configuration(self, name: str) -> dict[str, Any]:
        """Return what GetFunctionConfiguration tells."""
        return {"FunctionName": name, "LoggingConfig": {"LogFormat": "JSON", "LogGroup": self.log_groups[name]}}


def _handler_of(api: LambdaApi) -> type[BaseHTTPRequestHandler]:
    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            kind = self.headers.get("X-Amz-Invocation-Type", "RequestResponse")
            self._send(*api.invoke(self._function("/invocations"), kind, payload))

        def do_GET(self) -> None:
            self._send(200, {}, json.dumps(api.configuration(self._function("/configuration"))).encode())

        def _function(self, suffix: str) -> str:
            return unquote(self.path).removeprefix("/2015-03-31/functions/").removesuffix(suffix)

        def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for header, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(header, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing; what came is in `invocations`."""

    return Answer
