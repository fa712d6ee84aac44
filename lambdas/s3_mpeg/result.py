"""Writes the MP3 to S3 while it comes into being: all of it appears at once, or nothing."""

from dataclasses import dataclass
from io import BytesIO
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from lambdas.s3_mpeg.errors import Cause, ConversionError
from lambdas.s3_mpeg.storage_errors import StorageError, conversion_error, error_code

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART_BYTES = 5 * 1024 * 1024
"""From what size on a part is uploaded: the least that S3 allows, so that little is in memory and left for the end."""


@dataclass(frozen=True, slots=True)
class Existing:
    """An object that is there: its ETag and its user metadata."""

    etag: str
    metadata: dict[str, str]


def find_result(s3: "S3Client", bucket: str, key: str) -> Existing | None:
    """Return what is under the key now, None if nothing is.

    Raises:
        ConversionError: FORBIDDEN or STORAGE.

    """
    try:
        head = s3.head_object(Bucket=bucket, Key=key)
    except StorageError as error:
        if error_code(error) in ("404", "NoSuchKey"):
            return None
        raise conversion_error(f"looking for {key}", error) from error
    return Existing(head["ETag"], head["Metadata"])


class Result:
    """An object in the making, as a context: what is not published when it ends is discarded.

    Small ones are one PutObject; beyond PART_BYTES it is a multipart upload. Either way the object is seen only after
    `publish`, and not if somebody else wrote it meanwhile.

    Parameters:
        s3: the client.
        bucket: where it goes.
        key: its key.
        metadata: its user metadata.
        replaces: the ETag of the object that is there, None if there is none.

    """

    def __init__(self, s3: "S3Client", bucket: str, key: str, metadata: dict[str, str], replaces: str | None) -> None:
        self.key = key
        """Its key."""
        self.size = 0
        """Bytes written so far."""
        self._s3 = s3
        self._place: dict[str, Any] = {"Bucket": bucket, "Key": key}
        self._headers: dict[str, Any] = {"ContentType": "audio/mpeg", "Metadata": metadata}
        self._condition: dict[str, Any] = {"IfMatch": replaces} if replaces else {"IfNoneMatch": "*"}
        self._part = BytesIO()
        self._upload_id: str | None = None
        self._parts: list[CompletedPartTypeDef] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._discard()
        except ConversionError as failure:
            if error is None:
                raise
            error.add_note(failure.detail)

    def write(self, data: bytes) -> None:
        """Add to the object. Raises ConversionError (FORBIDDEN or STORAGE)."""
        try:
            # Before and not after adding: so something is left for the last part, whatever comes.
            if self._part.tell() >= PART_BYTES:
                self._upload_part()
        except StorageError as error:
            raise conversion_error("writing the MP3", error) from error
        self._part.write(data)
        self.size += len(data)

    def publish(self) -> None:
        """Make the object seen. Raises ConversionError (CONFLICT, FORBIDDEN or STORAGE)."""
        try:
            if self._upload_id is None:
                self._s3.put_object(**self._place, **self._headers, **self._condition, Body=self._content())
                return
            self._upload_part()
            self._s3.complete_multipart_upload(
                **self._place,
                **self._condition,
                UploadId=self._upload_id,
                MultipartUpload={"Parts": self._parts},
            )
            self._upload_id = None
        except StorageError as error:
            failure = conversion_error("writing the MP3", error)
            if failure.cause is Cause.VANISHED:
                # What was to be replaced has been removed; or the upload is complete although its answer got lost.
                failure = ConversionError(Cause.CONFLICT, failure.detail)
            raise failure from error

    def _discard(self) -> None:
        if self._upload_id is None:
            return
        try:
            self._s3.abort_multipart_upload(**self._place, UploadId=self._upload_id)
        except StorageError as error:
            if error_code(error) != "NoSuchUpload":
                # The bucket's lifecycle rule is the last to clear up.
                raise conversion_error(f"aborting the upload {self._upload_id}", error) from error
        self._upload_id = None

    def _content(self) -> BytesIO:
        """Return what is buffered as a file, from its beginning: a request reads it bit by bit and copies nothing."""
        self._part.seek(0)
        return self._part

    def _upload_part(self) -> None:
        if self._upload_id is None:
            started = self._s3.create_multipart_upload(**self._place, **self._headers, ChecksumAlgorithm="CRC32")
            self._upload_id = started["UploadId"]
        number = len(self._parts) + 1
        which: dict[str, Any] = {"UploadId": self._upload_id, "PartNumber": number}
        part = self._s3.upload_part(**self._place, **which, Body=self._content(), ChecksumAlgorithm="CRC32")
        done: CompletedPartTypeDef = {"PartNumber": number, "ETag": part["ETag"]}
        if checksum := part.get("ChecksumCRC32"):
            # S3 refuses to complete an upload that was begun with a checksum algorithm unless it gets every part's.
            done["ChecksumCRC32"] = checksum
        self._parts.append(done)
        self._part = BytesIO()
