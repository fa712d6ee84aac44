"""Why a recording could not be converted."""

from enum import StrEnum


class Cause(StrEnum):
    """What went wrong, in one word that metrics and logs are grouped by."""

    EMPTY = "empty"
    """The object has no bytes."""
    NOT_WAV = "not_wav"
    """The object is no WAV file, or its header contradicts itself."""
    TRUNCATED = "truncated"
    """The object ends before the samples that its header announces, or before any header does."""
    UNSUPPORTED = "unsupported"
    """A WAV file, but of a kind that is not converted; the detail names it."""
    VANISHED = "vanished"
    """The object, or the version that the event names, is gone."""
    FORBIDDEN = "forbidden"
    """S3 refused: the function lacks a permission or a key to decrypt with."""
    STORAGE = "storage"
    """S3 failed in another way, after all retries."""
    CONFLICT = "conflict"
    """Somebody else wrote the result at the same time; a retry settles who is right."""
    ENCODER = "encoder"
    """ffmpeg could not be started, failed or was killed."""
    OUT_OF_TIME = "out_of_time"
    """The invocation would have ended before the conversion."""
    BAD_EVENT = "bad_event"
    """The event, or one record of it, is no S3 notification."""
    UNEXPECTED = "unexpected"
    """None of these: a fault of the function's own; the log line has the traceback."""


class ConversionError(Exception):
    """One recording was not converted.

    Parameters:
        cause: what kind of failure it is.
        detail: what happened, for a person; without bucket and key, which whoever catches this knows.

    """

    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(f"{cause}: {detail}")
        self.cause = cause
        self.detail = detail


class RecordsFailed(Exception):
    """At least one record of an event failed; the message names object, version and cause of each.

    It leaves the handler, so that Lambda retries the event and then hands it to the on-failure destination.
    """

    def __init__(self, failures: list[str]) -> None:
        super().__init__("; ".join(failures))
