"""Clients of AWS for the page: short waits, since what cannot be read now is read at the next look."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from local.live.sources import Sources

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True)
class Clients:
    """One client a service; several threads use them."""

    dynamodb: "DynamoDBClient"
    sqs: "SQSClient"
    functions: "LambdaClient"
    logs: "CloudWatchLogsClient"

    @classmethod
    def of(cls, sources: Sources) -> Self:
        """Make clients of a system's emulator, or of AWS where it names none."""
        import boto3
        from botocore.config import Config

        config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 2})

        def client(service: str) -> Any:
            return boto3.client(  # type: ignore[call-overload]
                service, region_name=sources.region, endpoint_url=sources.endpoint, config=config
            )

        return cls(client("dynamodb"), client("sqs"), client("lambda"), client("logs"))
