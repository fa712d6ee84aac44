"""The metrics that AWS writes of what we run, by the names that AWS gives them.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html
"""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk.observability.service_view import ServiceView


def running_tasks(view: ServiceView, *, region: str | None = None) -> cloudwatch.Metric:
    """Return how many tasks of a service run: each gives one sample a minute of its CPU."""
    return _ecs(view, "CPUUtilization", "SampleCount", "tasks", region)


def task_cpu(view: ServiceView, statistic: str) -> cloudwatch.Metric:
    """Return percent of the machine, which a task has to itself."""
    return _ecs(view, "CPUUtilization", statistic, f"CPU, {statistic.lower()}", None)


def task_memory(view: ServiceView) -> cloudwatch.Metric:
    """Return percent of a task's memory, of the task that uses most."""
    return _ecs(view, "MemoryUtilization", "Maximum", "memory, maximum", None)


def instances_wanted(view: ServiceView) -> cloudwatch.Metric:
    """Return how many instances ECS wants for the tasks that it wants."""
    return _group(view, "GroupDesiredCapacity", "Maximum", "instances wanted")


def instances_in_service(view: ServiceView) -> cloudwatch.Metric:
    """Return how many instances there are."""
    return _group(view, "GroupInServiceInstances", "Minimum", "instances")


def instance_cpu(view: ServiceView) -> cloudwatch.Metric:
    """Return percent of the busiest instance: the task's, and what the system and the ECS agent take."""
    return _metric(
        "AWS/EC2",
        "CPUUtilization",
        {"AutoScalingGroupName": view.group},
        "Maximum",
        minutes=5,
        label="instance, maximum",
    )


def cpu_credits(view: ServiceView) -> cloudwatch.Metric:
    """Return what the poorest instance of a burstable type has left; there is none of other types."""
    return _metric(
        "AWS/EC2",
        "CPUCreditBalance",
        {"AutoScalingGroupName": view.group},
        "Minimum",
        minutes=5,
        label="credits, minimum",
    )


def nat_gateway(identifier: str, name: str) -> cloudwatch.Metric:
    """Return the sum of a NAT gateway's metric over five minutes."""
    return _metric("AWS/NATGateway", name, {"NatGatewayId": identifier}, "Sum", minutes=5)


def file_system(identifier: str, name: str, statistic: str) -> cloudwatch.Metric:
    """Return an EFS file system's metric over five minutes."""
    return _metric("AWS/EFS", name, {"FileSystemId": identifier}, statistic, minutes=5)


def function(name: str, function_name: str, statistic: str) -> cloudwatch.Metric:
    """Return a Lambda function's metric over five minutes."""
    return _metric("AWS/Lambda", name, {"FunctionName": function_name}, statistic, minutes=5)


def queue(name: str, queue_name: str, statistic: str, label: str | None = None) -> cloudwatch.Metric:
    """Return an SQS queue's metric over five minutes."""
    return _metric("AWS/SQS", name, {"QueueName": queue_name}, statistic, minutes=5, label=label)


def tables(name: str, table_names: Sequence[tuple[str, str]]) -> list[cloudwatch.Metric]:
    """Return a metric of DynamoDB tables over five minutes, one each; they are given with what to call them."""
    return [
        _metric("AWS/DynamoDB", name, {"TableName": table}, "Sum", minutes=5, label=label)
        for label, table in table_names
    ]


def _ecs(view: ServiceView, name: str, statistic: str, label: str, region: str | None) -> cloudwatch.Metric:
    dimensions = {"ClusterName": view.cluster, "ServiceName": view.service}
    return _metric("AWS/ECS", name, dimensions, statistic, label=label, region=region)


def _group(view: ServiceView, name: str, statistic: str, label: str) -> cloudwatch.Metric:
    return _metric("AWS/AutoScaling", name, {"AutoScalingGroupName": view.group}, statistic, label=label)


def _metric(
    namespace: str,
    name: str,
    dimensions: dict[str, str],
    statistic: str,
    *,
    minutes: int = 1,
    label: str | None = None,
    region: str | None = None,
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=Duration.minutes(minutes),
        label=label or name,
        region=region,
    )
