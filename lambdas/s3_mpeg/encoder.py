"""Runs the encoder: samples go in by `write`, MP3 comes out to a sink, both at once."""

import fcntl
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, Self

from lambdas.s3_mpeg.deadline import Deadline
from lambdas.s3_mpeg.errors import Cause, ConversionError

# The largest pipe that Linux grants everybody; without it 64 KiB. It lets reader, encoder and writer get ahead of each
# other.
_PIPE_BYTES = 1024 * 1024
_OUTPUT_BYTES = 64 * 1024
_COMPLAINT_BYTES = 500
# How long the sink may still be busy with a piece that nobody waits for.
_LAST_PIECE_SECONDS = 3.0


class Encoder:
    """One run of an encoder, as a context: when it ends, the encoder has ended.

    Parameters:
        command: what to run; it reads samples on its standard input and writes MP3 on its standard output.
        sink: takes the MP3, piece by piece, on a thread of the encoder's. What it raises ends the encoder, and
            `write` or `finish` raises it again.
        deadline: when to stop. Past it the encoder is killed, so that nothing waits for it.

    Raises:
        ConversionError: ENCODER, the command cannot be run.

    """

    def __init__(self, command: Sequence[str], sink: Callable[[bytes], None], deadline: Deadline) -> None:
        self._sink = sink
        self._deadline = deadline
        self._sink_error: Exception | None = None
        # A file and not a pipe: whatever the encoder has to say, it never waits for somebody to listen.
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                bufsize=0,
            )
        except OSError as error:
            self._complaints.close()
            raise ConversionError(Cause.ENCODER, f"ffmpeg cannot be started: {error}") from error
        _widen(self._process.stdin, self._process.stdout)
        self._watchdog = threading.Timer(deadline.remaining(), self._process.kill)
        self._watchdog.daemon = True
        self._watchdog.start()
        self._pump = threading.Thread(target=self._drain, name="mp3", daemon=True)
        self._pump.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._watchdog.cancel()
        self._process.kill()
        self._process.wait()
        self._pump.join(_LAST_PIECE_SECONDS)
        for stream in (self._process.stdin, self._process.stdout, self._complaints):
            if stream is not None:
                stream.close()

    def write(self, samples: bytes) -> None:
        """Hand samples to the encoder; waits while it has enough to do.

        Raises:
            ConversionError: ENCODER, it has ended; OUT_OF_TIME, it was ended.
            Exception: what the sink raised.

        """
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        rest = memoryview(samples)
        try:
            while rest:
                rest = rest[self._process.stdin.write(rest) :]
        except OSError:
            raise self._failure() from None

    def finish(self) -> None:
        """Tell the encoder that there are no more samples, and wait until the sink has all of the MP3.

        Raises:
            ConversionError: ENCODER, it failed; OUT_OF_TIME, it was ended or the sink still is at work.
            Exception: what the sink raised.

        """
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        self._process.stdin.close()
        self._pump.join(self._deadline.remaining())
        if self._pump.is_alive():
            self._deadline.check()
        if self._process.wait() or self._sink_error:
            raise self._failure()

    def _drain(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        try:
            while piece := self._process.stdout.read(_OUTPUT_BYTES):
                self._sink(piece)
        except Exception as error:  # noqa: BLE001 - it belongs to the other thread, which raises it
            self._sink_error = error
            self._process.kill()

    def _failure(self) -> Exception:
        """Return why the encoder has ended before its time."""
        status = self._process.wait()
        self._pump.join(self._deadline.remaining())
        if self._sink_error:
            return self._sink_error
        if not self._deadline.remaining():
            return ConversionError(Cause.OUT_OF_TIME, "the invocation ends before the recording is encoded")
        self._complaints.seek(0)
        complaint = self._complaints.read(_COMPLAINT_BYTES).decode(errors="replace").strip()
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        return ConversionError(Cause.ENCODER, f"ffmpeg {how}: {complaint or 'it said nothing'}")


def _widen(*pipes: IO[bytes] | None) -> None:
    for pipe in pipes:
        if pipe is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
            # A user may be at the limit of what all pipes of one may hold; then a narrow one does.
            with suppress(OSError):
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
