"""Reads an S3 object in bounded pieces, and goes on where a broken connection left off."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import HTTPClientError, IncompleteReadError

from lambdas.s3_mpeg.deadline import Deadline
from lambdas.s3_mpeg.notification import SourceObject
from lambdas.s3_mpeg.storage_errors import StorageError, conversion_error, error_code

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

PIECE_BYTES = 256 * 1024
"""The most that is read at once."""

_FRUITLESS_ATTEMPTS = 3


class SourceReplaced(Exception):
    """The object is no longer the one of the event; the newer one has an event of its own."""


class SourceBody:
    """The bytes of one object: of exactly the one that was opened, from the first to the last.

    It is the current object that is asked for, on the condition that it has the event's ETag, and never an older
    version of it: what is made of an older one must not replace what is made of the current one.

    Parameters:
        s3: the client.
        source: the object.

    Raises:
        SourceReplaced: there is a newer object under the key.
        ConversionError: VANISHED, FORBIDDEN or STORAGE.

    """

    def __init__(self, s3: "S3Client", source: SourceObject) -> None:
        self._s3 = s3
        self._request: dict[str, Any] = {"Bucket": source.bucket, "Key": source.key}
        if source.etag:
            self._request["IfMatch"] = f'"{source.etag}"'
        response = self._get()
        self._body = response["Body"]
        self.length: int = response["ContentLength"]
        """Bytes of the object."""
        self.metadata: dict[str, str] = response["Metadata"]
        """Its user metadata."""
        self.etag: str = response["ETag"].strip('"')
        """Its ETag, without quotes."""
        self.version_id: str | None = response.get("VersionId")
        """Its version, where the bucket keeps versions."""
        self._request["IfMatch"] = response["ETag"]

    def pieces(self, deadline: Deadline) -> Iterator[bytes]:
        """Yield the object's bytes, at most PIECE_BYTES at once.

        A connection that breaks or stalls is replaced by one that asks for the rest, until three in a row have
        brought nothing.

        Raises:
            SourceReplaced: there is a newer object under the key, and the connection to the old one broke.
            ConversionError: VANISHED, FORBIDDEN, STORAGE or OUT_OF_TIME.

        """
        position = 0
        fruitless = 0
        while position < self.length:
            deadline.check()
            try:
                piece = self._read(position)
            except (HTTPClientError, IncompleteReadError, OSError) as error:
                fruitless += 1
                if fruitless > _FRUITLESS_ATTEMPTS:
                    raise conversion_error(f"reading the recording at byte {position}", error) from error
                self._body.close()
                self._request["Range"] = f"bytes={position}-"
                self._body = self._get()["Body"]
                continue
            fruitless = 0
            position += len(piece)
            yield piece

    def close(self) -> None:
        """Give the connection up, whatever is still to come on it."""
        self._body.close()

    def _get(self) -> "GetObjectOutputTypeDef":
        try:
            return self._s3.get_object(**self._request)
        except StorageError as error:
            if error_code(error) in ("PreconditionFailed", "412"):
                raise SourceReplaced from error
            raise conversion_error("reading the recording", error) from error

    def _read(self, position: int) -> bytes:
        piece = self._body.read(PIECE_BYTES)
        if not piece:
            raise IncompleteReadError(actual_bytes=position, expected_bytes=self.length)
        return piece
