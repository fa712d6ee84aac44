"""AWS that fails as it is told to: a proxy in front of an emulator, which programs reach over HTTP.

The emulator behind it (moto) does every request that is let through. So real clients meet real answers, real errors and
real silences, and what was done can be compared with what they were told.
"""

import http.client
import json
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests.fakes.quiet_server import ServedFake

_SCOPE = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request")
_HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "content-length", "server", "date"})


class Fault(Enum):
    """What may become of a request."""

    THROTTLED = "throttled"
    """Refused, not done: too many requests."""
    TRANSACTION_THROTTLED = "transaction throttled"
    """A transaction of DynamoDB that was cancelled, not done, because one of its items was throttled."""
    UNAVAILABLE = "unavailable"
    """503, not done."""
    LOST = "lost"
    """Done, and the connection breaks before the answer."""
    CUT = "cut"
    """Done, and the connection breaks in the middle of the answer's body."""
    SILENT = "silent"
    """Not done and never answered."""


@dataclass(frozen=True, slots=True)
class AwsRequest:
    """A request, as far as faults are chosen by it.

    Attributes:
        number: how many there were, this one included.
        service: name in the signature, `dynamodb`.
        region: name in the signature, `us-east-1`.
        operation: `TransactWriteItems`; of S3, method and query, `PUT partNumber`.

    """

    number: int
    service: str
    region: str
    operation: str


Decide = Callable[[AwsRequest], Fault | None]
"""Says what becomes of a request; None lets it through."""


Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""


class FaultyAws(ServedFake):
    """The proxy, as a context.

    Args:
        port: the emulator's.

    Attributes:
        requests: each request and what became of it.
        before: called with each request before anything becomes of it; nothing does when it returns true.
        after: called with each request that was done, before its answer leaves.
        silence: what lasts until a client gives up a request that is never answered.

    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests: list[tuple[AwsRequest, Fault | None]] = []
        self.before: Callable[[AwsRequest], bool] = lambda _: False
        self.after: Callable[[AwsRequest], object] = lambda _: None
        self.silence: Callable[[AwsRequest], object] = lambda _: self.released.wait(60)
        self._decide: Decide = lambda _: None
        self._lock = threading.Lock()
        super().__init__(_handler_of(self))

    @contextmanager
    def faults(self, decide: Decide) -> Iterator[list[tuple[AwsRequest, Fault | None]]]:
        """Let requests fail meanwhile; yields those that come, with their faults."""
        self.requests, self._decide = [], decide
        try:
            yield self.requests
        finally:
            self._decide = lambda _: None

    def fate(self, request: AwsRequest) -> Fault | None:
        """Return what becomes of a request, and note it."""
        fault = self._decide(request)
        self.requests.append((request, fault))
        return fault

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Have the emulator do a request, and nothing beside it.

        When a transaction fails, moto puts back copies of the tables that it made before, and so loses whatever another
        request wrote in between.
        """
        with self._lock:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                kept = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
                if method == "HEAD":
                    kept["Content-Length"] = answer.getheader("Content-Length") or "0"
                return answer.status, kept, answer.read()
            finally:
                connection.close()


def share(chance: float, seed: int, *faults: Fault) -> Decide:
    """Let a share of all requests fail, in one of some ways, the same in each run."""
    draw = random.Random(seed)
    return lambda request: _suitable(draw.choice(faults), request) if draw.random() < chance else None


def all_of(service: str, fault: Fault, *, region: str | None = None, operations: str = "") -> Decide:
    """Let every request to a service fail, of one region and of operations that match where those are given."""

    def decide(request: AwsRequest) -> Fault | None:
        is_meant = request.service == service and region in (None, request.region)
        return _suitable(fault, request) if is_meant and re.search(operations, request.operation) else None

    return decide


def count(requests: list[tuple[AwsRequest, Fault | None]]) -> Counter[str]:
    """Count what became of requests."""
    return Counter("done" if fault is None else fault.value for _, fault in requests)


def _suitable(fault: Fault, request: AwsRequest) -> Fault:
    """Only a transaction can be cancelled."""
    if fault is Fault.TRANSACTION_THROTTLED and not request.operation.startswith("Transact"):
        return Fault.THROTTLED
    return fault


def _refusal(fault: Fault, request: AwsRequest) -> Answer:
    if request.service == "s3":
        content = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your rate</Message></Error>"
        return 503, {"Content-Type": "application/xml"}, content
    if fault is Fault.UNAVAILABLE:
        return 503, {"Content-Type": "application/x-amz-json-1.0"}, b'{"__type": "ServiceUnavailable", "message": "no"}'
    # DynamoDB has two names for it, by whether the table or the account is at its limit.
    code = "ThrottlingException" if request.number % 2 else "ProvisionedThroughputExceededException"
    body: dict[str, object] = {"__type": code if request.service == "dynamodb" else "ThrottlingException"}
    if fault is Fault.TRANSACTION_THROTTLED:
        reasons = [{"Code": "None"}, {"Code": "ThrottlingError", "Message": "Throughput exceeds the current capacity"}]
        body = {"__type": "TransactionCanceledException", "CancellationReasons": reasons}
    content = json.dumps({**body, "message": "Rate exceeded"}).encode()
    return 400, {"Content-Type": "application/x-amz-json-1.0"}, content


def _handler_of(aws: FaultyAws) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer()

        def do_HEAD(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PUT(self) -> None:
            self._answer()

        def do_DELETE(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = self._request(body)
            if aws.before(request):
                self.close_connection = True
                return
            fault = aws.fate(request)
            if fault is Fault.SILENT:
                aws.silence(request)
                self.close_connection = True
                return
            if fault in (Fault.THROTTLED, Fault.TRANSACTION_THROTTLED, Fault.UNAVAILABLE):
                status, headers, content = _refusal(fault, request)
            else:
                status, headers, content = aws.forward(self.command, self.path, dict(self.headers.items()), body)
                aws.after(request)
            if fault is Fault.LOST:
                self.close_connection = True
                return
            self.send_response(status)
            headers = {"Content-Length": str(len(content)), **headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if fault is Fault.CUT:
                content, self.close_connection = content[: len(content) // 2], True
            self.wfile.write(content)

        def _request(self, body: bytes) -> AwsRequest:
            scope = _SCOPE.search(self.headers.get("Authorization", ""))
            region, service = scope.groups() if scope else ("", "")
            target = self.headers.get("X-Amz-Target", "")
            operation = target.rsplit(".", 1)[-1] or parse_qs(body.decode("latin-1")).get("Action", [""])[0]
            if service == "s3":
                query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
                operation = " ".join([self.command, *sorted(query)])
            return AwsRequest(len(aws.requests) + 1, service, region, operation)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing; what came is in `requests`."""

    return Handler
