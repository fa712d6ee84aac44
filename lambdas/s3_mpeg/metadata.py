"""The user metadata of a result: the recording's own, and what the result was made of."""

from collections.abc import Mapping
from email.header import Header

_SOURCE_ETAG = "source-etag"
_SOURCE_VERSION = "source-version-id"
_LIMIT_BYTES = 2048
"""What S3 allows for all names and values together.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
"""


def source_identity(etag: str, version_id: str | None) -> dict[str, str]:
    """Return the entries by which a repeated event finds its work done."""
    return {_SOURCE_ETAG: etag} | ({_SOURCE_VERSION: version_id} if version_id else {})


def is_made_of(metadata: Mapping[str, str], etag: str, version_id: str | None) -> bool:
    """Return whether a result with this metadata was made of this very source."""
    return metadata.get(_SOURCE_ETAG) == etag and metadata.get(_SOURCE_VERSION) == version_id


def result_metadata(source: Mapping[str, str], identity: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the metadata of a result, and the names of the source's entries for which there is no room.

    The source may use all that S3 allows; the identity comes first, then the source's entries in their order, as
    many as fit. Values beyond ASCII go as RFC 2047 says, which is also how S3 answers them.
    """
    metadata = dict(identity)
    dropped = []
    room = _LIMIT_BYTES - sum(len(name) + len(value) for name, value in identity.items())
    for name, value in source.items():
        if name in identity:
            continue
        text = value if value.isascii() else Header(value, "utf-8", maxlinelen=_LIMIT_BYTES).encode()
        needed = len(name) + len(text)
        if needed > room:
            dropped.append(name)
            continue
        room -= needed
        metadata[name] = text
    return metadata, dropped
