"""The widgets that dashboards are made of."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

Row = list[cloudwatch.IWidget]
"""Widgets beside each other; a dashboard is 24 wide."""


def picture(
    title: str,
    lines: Sequence[cloudwatch.IMetric],
    *,
    unit: str,
    right: Sequence[cloudwatch.IMetric] = (),
    right_unit: str | None = None,
    alarm: float | None = None,
    width: int = 8,
    minutes: int = 1,
) -> cloudwatch.IWidget:
    """Return a graph.

    Parameters:
        title: what is asked.
        lines: metrics, each with its statistic.
        unit: what the numbers are, beside the axis.
        right: metrics of another unit, by the axis on the right.
        right_unit: what those are.
        alarm: the value that an alarm comes at.
        width: of 24.
        minutes: the period.

    """
    return cloudwatch.GraphWidget(
        title=title,
        left=list(lines),
        left_y_axis=cloudwatch.YAxisProps(label=unit, min=0, show_units=False),
        right=list(right) or None,
        right_y_axis=cloudwatch.YAxisProps(label=right_unit, min=0, show_units=False) if right else None,
        left_annotations=(
            None
            if alarm is None
            else [cloudwatch.HorizontalAnnotation(value=alarm, label="alarm", color=cloudwatch.Color.RED)]
        ),
        period=Duration.minutes(minutes),
        width=width,
        height=6,
    )


def words(markdown: str, *, height: int = 3) -> Row:
    """Return a row of text."""
    return [cloudwatch.TextWidget(markdown=markdown, width=24, height=height)]


def alarm_row(alarms: Sequence[cloudwatch.IAlarm], title: str) -> Row:
    """Return a row that shows which alarms are on."""
    # Seven or so stand beside each other.
    height = 1 + (len(alarms) + 6) // 7
    return [cloudwatch.AlarmStatusWidget(alarms=list(alarms), title=title, width=24, height=height)]
