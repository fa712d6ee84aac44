"""AWS clients, made when first needed: most commands need one or two."""

from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

_FUNCTION_SECONDS = 75
"""How long the services function is waited for: longer than its time limit."""

_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "max_attempts": 3})
# An invocation that is not answered may be under way all the same: it is not made a second time.
_FUNCTION_CONFIG = Config(connect_timeout=3, read_timeout=_FUNCTION_SECONDS, retries={"total_max_attempts": 1})


class AwsClients:
    """One client a service and region.

    Args:
        region: the deployment's home region; None for what the environment or the profile says.

    """

    def __init__(self, region: str | None) -> None:
        self._region = region
        self._clients: dict[tuple[str, str | None], Any] = {}

    @property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB."""
        return cast("DynamoDBClient", self._client("dynamodb"))

    @property
    def sqs(self) -> "SQSClient":
        """SQS."""
        return cast("SQSClient", self._client("sqs"))

    @property
    def ssm(self) -> "SSMClient":
        """SSM."""
        return cast("SSMClient", self._client("ssm"))

    @property
    def functions(self) -> "LambdaClient":
        """Lambda."""
        return cast("LambdaClient", self._client("lambda"))

    @property
    def logs(self) -> "CloudWatchLogsClient":
        """CloudWatch Logs."""
        return cast("CloudWatchLogsClient", self._client("logs"))

    @property
    def cloudwatch(self) -> "CloudWatchClient":
        """CloudWatch."""
        return cast("CloudWatchClient", self._client("cloudwatch"))

    def ecs(self, region: str) -> "ECSClient":
        """ECS in any region."""
        return cast("ECSClient", self._client("ecs", region))

    def ec2(self, region: str) -> "EC2Client":
        """EC2 in any region."""
        return cast("EC2Client", self._client("ec2", region))

    def _client(self, service: str, region: str | None = None) -> Any:
        key = (service, region)
        if key not in self._clients:
            config = _FUNCTION_CONFIG if service == "lambda" else _CONFIG
            self._clients[key] = boto3.client(  # type: ignore[call-overload]
                service, region_name=region or self._region, config=config
            )
        return self._clients[key]
