"""The encoder's process: bytes in, bytes out, and every way in which it can end."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lambdas.s3_mpeg.deadline import Deadline
from lambdas.s3_mpeg.encoder import Encoder
from lambdas.s3_mpeg.errors import Cause, ConversionError

LATER = Deadline(time.monotonic() + 3600)
SH = Path("/bin/sh")
pytestmark = pytest.mark.skipif(not SH.exists(), reason="/bin/sh stands in for the encoder, and there is none here")


def shell(script: str) -> list[str]:
    return [str(SH), "-c", script]


def run(
    command: list[str], *pieces: bytes, sink: Callable[[bytes], None] | None = None, deadline: Deadline = LATER
) -> bytes:
    """Encode pieces; return what came out."""
    got = bytearray()
    with Encoder(command, sink or got.extend, deadline) as encoder:
        for piece in pieces:
            encoder.write(piece)
        encoder.finish()
    return bytes(got)


def test_what_goes_in_comes_out_in_order_however_much_it_is() -> None:
    sent = [bytes([i % 251]) * 100_003 for i in range(100)]
    assert run(shell("exec cat"), *sent) == b"".join(sent)


def test_an_encoder_that_fails_is_quoted() -> None:
    with pytest.raises(ConversionError, match="status 3: no such codec") as failure:
        run(shell("echo no such codec >&2; exit 3"))
    assert failure.value.cause is Cause.ENCODER


def test_one_that_stops_reading_fails_the_write() -> None:
    with pytest.raises(ConversionError, match="status 1: it said nothing"):
        run(shell("exit 1"), *[bytes(100_000)] * 1000)


def test_one_that_complains_without_end_does_not_wait_to_be_read() -> None:
    with pytest.raises(ConversionError) as failure:
        run(shell("yes oh no | head -c 1000000 >&2; exit 1"))
    assert len(failure.value.detail) < 600


def test_one_that_is_not_there() -> None:
    with pytest.raises(ConversionError, match="cannot be started"):
        run(["/nonexistent/encoder"])


def test_what_the_sink_raises_ends_the_encoder_and_comes_out() -> None:
    def refuse(_: bytes) -> None:
        raise KeyError("full")

    with pytest.raises(KeyError, match="full"):
        run(shell("exec cat"), *[bytes(100_000)] * 1000, sink=refuse)


def test_one_that_hangs_is_killed_at_the_deadline() -> None:
    with pytest.raises(ConversionError) as failure:
        run(shell("exec sleep 60"), deadline=Deadline(time.monotonic() + 0.1))
    assert failure.value.cause is Cause.OUT_OF_TIME


def test_a_sink_that_hangs_is_left_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambdas.s3_mpeg.encoder._LAST_PIECE_SECONDS", 0.1)
    released = threading.Event()

    def hang(_: bytes) -> None:
        released.wait(30)

    with pytest.raises(ConversionError) as failure:
        run(shell("exec cat"), b"x", sink=hang, deadline=Deadline(time.monotonic() + 0.2))
    released.set()
    assert failure.value.cause is Cause.OUT_OF_TIME


def test_leaving_early_ends_the_encoder() -> None:
    with Encoder(shell("exec sleep 60"), bytearray().extend, LATER) as encoder:
        process = encoder._process
    assert process.returncode is not None
