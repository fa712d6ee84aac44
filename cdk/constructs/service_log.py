"""A log group that is kept as long as the settings say."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.settings import Settings


def service_log(scope: Construct, construct_id: str, *, settings: Settings) -> logs.LogGroup:
    """Make a log group whose lines go after `logRetentionDays`; it outlives its stack where data is protected."""
    log_group = logs.LogGroup(
        scope, construct_id, removal_policy=RemovalPolicy.RETAIN if settings.protect_data else RemovalPolicy.DESTROY
    )
    # The construct takes an enumeration, the resource takes the days that the settings hold.
    resource = log_group.node.default_child
    if not isinstance(resource, logs.CfnLogGroup):
        raise TypeError(f"a log group's resource is {type(resource).__name__}")
    resource.retention_in_days = settings.log_retention_days
    return log_group
