"""The AWS services that the app uses."""

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from switch_app.settings import Settings


@dataclass(frozen=True, slots=True)
class AwsClients:
    """Clients, each of the region that it is for.

    Attributes:
        ssm: has the password of the platform's services API.
        polly: speaks.
        s3: takes recordings.
        functions: Lambda, where the services function is.

    """

    ssm: Any
    polly: Any
    s3: Any
    functions: Any

    @classmethod
    def of(cls, settings: Settings) -> "AwsClients":
        """Return clients with the credentials of the task."""
        # A caller waits for the answers of all but S3, whose requests are repeated by whoever makes them.
        quick = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
        patient = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 3})
        session = boto3.Session(region_name=settings.aws_region)
        return cls(
            ssm=session.client("ssm", region_name=settings.platform.password_region, config=quick),
            polly=session.client("polly", config=quick),
            s3=session.client("s3", region_name=settings.storage.bucket_region, config=patient),
            functions=session.client("lambda", region_name=settings.services_function_region, config=quick),
        )
