"""What botocore's errors mean for a conversion."""

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.s3_mpeg.errors import Cause, ConversionError

StorageError = (ClientError, BotoCoreError)
"""What any call to S3 may raise."""

_CAUSES = {
    "NoSuchKey": Cause.VANISHED,
    "NoSuchVersion": Cause.VANISHED,
    "NoSuchBucket": Cause.VANISHED,
    "NoSuchUpload": Cause.VANISHED,
    "404": Cause.VANISHED,  # a HEAD has no body to name the code in
    "MethodNotAllowed": Cause.VANISHED,  # the version is a delete marker
    "AccessDenied": Cause.FORBIDDEN,
    "403": Cause.FORBIDDEN,
    "PreconditionFailed": Cause.CONFLICT,
    "ConditionalRequestConflict": Cause.CONFLICT,
    "412": Cause.CONFLICT,
}


def error_code(error: Exception) -> str:
    """Return S3's error code, or the name of the exception if the error did not come from S3."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "unknown"))
    return type(error).__name__


def conversion_error(doing: str, error: Exception) -> ConversionError:
    """Return what to raise for an error of botocore.

    Parameters:
        doing: what was being done, as in "reading the recording".
        error: what botocore raised.

    """
    code = error_code(error)
    cause = Cause.FORBIDDEN if code.startswith("KMS.") else _CAUSES.get(code, Cause.STORAGE)
    return ConversionError(cause, f"{doing}: {error}")
