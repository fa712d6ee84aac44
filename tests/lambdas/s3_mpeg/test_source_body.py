"""Reading from an S3 whose connections break."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.config import Config

from lambdas.s3_mpeg.deadline import Deadline
from lambdas.s3_mpeg.errors import Cause, ConversionError
from lambdas.s3_mpeg.notification import SourceObject
from lambdas.s3_mpeg.source_body import SourceBody, SourceReplaced

BODY = bytes(range(256)) * 4096  # 1 MiB
LATER = Deadline(1, lambda: 0)


@dataclass
class BreakingStorage:
    """An S3 of one object, which hangs up after `bytes_a_connection`."""

    bytes_a_connection: int
    etag: str = '"v1"'
    next_etag: str | None = None  # what the object's is from the second request on
    ranges: list[str | None] = field(default_factory=list)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers["Range"]
        self.ranges.append(wanted)
        etag = self.etag if len(self.ranges) == 1 else self.next_etag or self.etag
        if request.headers.get("If-Match", etag) != etag:
            request.send_response(412)
            request.end_headers()
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        request.send_response(206 if wanted else 200)
        request.send_header("ETag", etag)
        request.send_header("Content-Length", str(len(BODY) - start))
        request.end_headers()
        request.wfile.write(BODY[start : start + self.bytes_a_connection])


@pytest.fixture
def storage(aws_environment: None) -> Iterator[BreakingStorage]:
    storage = BreakingStorage(bytes_a_connection=300_000)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            storage.answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    storage.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
    yield storage
    server.shutdown()
    thread.join()
    server.server_close()


def read(storage: BreakingStorage, deadline: Deadline = LATER) -> bytes:
    client = boto3.client(
        "s3",
        endpoint_url=storage.url,  # type: ignore[attr-defined]
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )
    body = SourceBody(client, SourceObject("recordings", "a.wav", etag="v1"))
    try:
        return b"".join(body.pieces(deadline))
    finally:
        body.close()


def test_a_broken_connection_is_resumed_where_it_broke(storage: BreakingStorage) -> None:
    assert read(storage) == BODY
    assert storage.ranges[0] is None
    assert len(storage.ranges) == 4
    assert storage.ranges[1] == "bytes=300000-"


def test_connections_that_bring_nothing_are_given_up(storage: BreakingStorage) -> None:
    storage.bytes_a_connection = 0
    with pytest.raises(ConversionError, match="at byte 0") as failure:
        read(storage)
    assert failure.value.cause is Cause.STORAGE
    assert len(storage.ranges) == 4


def test_an_object_that_was_replaced_is_not_resumed_with_the_new_ones_bytes(storage: BreakingStorage) -> None:
    storage.next_etag = '"v2"'
    with pytest.raises(SourceReplaced):
        read(storage)


def test_the_deadline_holds_between_connections(storage: BreakingStorage) -> None:
    ticks = iter([0, 0, 0, 2, 2, 2, 2, 2])
    with pytest.raises(ConversionError) as failure:
        read(storage, Deadline(1, lambda: next(ticks)))
    assert failure.value.cause is Cause.OUT_OF_TIME
