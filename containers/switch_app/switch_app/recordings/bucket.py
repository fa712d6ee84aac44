"""The bucket that the platform takes recordings from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

UPLOAD_ERRORS: Final = (Boto3Error, BotoCoreError, ClientError)
"""What an upload may raise beside `OSError`."""

# Parts are read and sent one after the other: a recording of hours takes no more memory than a short one.
_TRANSFER: Final = TransferConfig(
    use_threads=False, multipart_threshold=64 * 1024 * 1024, multipart_chunksize=16 * 1024 * 1024
)


@dataclass(frozen=True, slots=True)
class RecordingsBucket:
    """A bucket.

    Attributes:
        client: a boto3 client of its region.
        name: the bucket's.
        region: where it is.

    """

    client: Any
    name: str
    region: str

    def upload(self, path: Path, key: str) -> None:
        """Upload a file, blocking. Done twice, it is done once."""
        self.client.upload_file(str(path), self.name, key, ExtraArgs={"ContentType": "audio/wav"}, Config=_TRANSFER)

    def url(self, key: str) -> str:
        """Return the object's URL as the platform reads it: its path is the key."""
        return f"https://{self.name}.s3.{self.region}.amazonaws.com/{quote(key)}"
