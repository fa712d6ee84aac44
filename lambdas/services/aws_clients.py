"""AWS clients, made when first needed: most invocations need one or two of them."""

from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

# An answer that takes longer than this is worth less than another try within the function's own time limit. A service
# that is silent is given up after five tries: 15 seconds, so that a region that is lost leaves time for another.
_CONFIG = Config(
    connect_timeout=2, read_timeout=3, retries={"mode": "standard", "max_attempts": 4}, max_pool_connections=10
)

# SSM is asked in the middle of telling the platform, which the queue tries again as a whole.
_SSM_CONFIG = Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "max_attempts": 1})


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

    @property
    def ssm(self) -> "SSMClient":
        """SSM in the function's own region."""
        return cast("SSMClient", self._client("ssm", None, _SSM_CONFIG))

    def ecs(self, region: str) -> "ECSClient":
        """ECS in `region`."""
        return cast("ECSClient", self._client("ecs", region))

    def ec2(self, region: str) -> "EC2Client":
        """EC2 in `region`."""
        return cast("EC2Client", self._client("ec2", region))

    def _client(self, service: str, region: str | None, config: Config | None = None) -> Any:
        key = (service, region)
        if key not in self._clients:
            chosen = config or _CONFIG
            self._clients[key] = boto3.client(service, region_name=region, config=chosen)  # type: ignore[call-overload]
        return self._clients[key]
