"""The metrics that our own programs write, by the dimensions that they write them with.

A test holds every name and dimension here to what the programs really write.
"""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

NAMESPACE: Final = "SomlengSWITCH"


def of_service(
    name: str, service: str, statistic: str, *, label: str | None = None, minutes: int = 1, region: str | None = None
) -> cloudwatch.Metric:
    """Return a metric over all tasks of an ECS service: of the switch app, the event logger, or gateways' schedulers.

    Parameters:
        name: of the metric.
        service: ECS's name of the service.
        statistic: `Sum`, `Maximum`, …, over the tasks and the period.
        label: what a picture calls it; the metric's name, unless it is said.
        minutes: the period.
        region: the AWS region that it is written in; the stack's, unless it is said.

    """
    return _metric(name, {"ServiceName": service}, statistic, label, minutes, region)


def of_function(
    name: str, function: str, statistic: str, *, label: str | None = None, minutes: int = 5
) -> cloudwatch.Metric:
    """Return a metric of a Lambda function by the function's name."""
    return _metric(name, {"service": function}, statistic, label, minutes, None)


def of_each_gateway(name: str, service: str, statistic: str, *, by: str | None = None) -> cloudwatch.SearchExpression:
    """Return a line a gateway, whatever its name; or a line a value of the further dimension `by`, too.

    Only for pictures: an alarm cannot search.
    """
    dimensions = ("ServiceName", "gateway_kind", "gateway_name", *([by] if by else []))
    return _search(name, dimensions, f'ServiceName="{service}"', statistic, 1)


def of_function_by(name: str, function: str, by: str, statistic: str) -> cloudwatch.SearchExpression:
    """Return a line a value of the dimension `by`, of a metric of a Lambda function."""
    return _search(name, ("service", by), f'service="{function}"', statistic, 5)


def _metric(
    name: str, dimensions: dict[str, str], statistic: str, label: str | None, minutes: int, region: str | None
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=Duration.minutes(minutes),
        label=label or name,
        region=region,
    )


def _search(
    name: str, dimensions: tuple[str, ...], where: str, statistic: str, minutes: int
) -> cloudwatch.SearchExpression:
    schema = ",".join((NAMESPACE, *dimensions))
    return cloudwatch.SearchExpression(
        expression=f"SEARCH('{{{schema}}} MetricName=\"{name}\" {where}', '{statistic}', {minutes * 60})",
        period=Duration.minutes(minutes),
        label=f"{name} ${{PROP('Dim.{dimensions[-1]}')}}",
    )
