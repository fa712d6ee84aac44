"""AWS clients, made when first needed: most invocations need one or two of them."""

from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_sqs import SQSClient

# An answer that takes longer than this is worth less than another try within the function's own time limit.
_CONFIG = Config(
    connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 4}, max_pool_connections=10
)


class AwsClients:
    """One client a service and region, kept for the life of the execution environment."""

    def __init__(self) -> None:
        self._clients: dict[tuple[str, str | None], Any] = {}

    @property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB in the function's own region."""
        return cast("DynamoDBClient", self._client("dynamodb", None))

    @property
    def sqs(self) -> "SQSClient":
        """SQS in the function's own region."""
        return cast("SQSClient", self._client("sqs", None))

    def ecs(self, region: str) -> "ECSClient":
        """ECS in `region`."""
        return cast("ECSClient", self._client("ecs", region))

    def ec2(self, region: str) -> "EC2Client":
        """EC2 in `region`."""
        return cast("EC2Client", self._client("ec2", region))

    def _client(self, service: str, region: str | None) -> Any:
        key = (service, region)
        if key not in self._clients:
            self._clients[key] = boto3.client(service, region_name=region, config=_CONFIG)  # type: ignore[call-overload]
        return self._clients[key]
