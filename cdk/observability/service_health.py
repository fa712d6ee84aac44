"""Whether a service's tasks run, and how busy they are."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk.constructs.alarms import Alarms, Silence
from cdk.observability import aws_metrics
from cdk.observability.pictures import Row, picture
from cdk.observability.service_view import ServiceView
from cdk.runbooks import Runbook


def service_row(view: ServiceView, *, cpu_percent: int) -> Row:
    """Return the pictures of a service: tasks and instances, CPU, memory."""
    return [
        picture(
            f"{view.title}: tasks, and the instances wanted for them",
            [
                aws_metrics.running_tasks(view),
                aws_metrics.instances_wanted(view),
                aws_metrics.instances_in_service(view),
            ],
            unit="count",
        ),
        picture(
            f"{view.title}: CPU",
            [
                aws_metrics.task_cpu(view, "Average"),
                aws_metrics.task_cpu(view, "Maximum"),
                aws_metrics.instance_cpu(view),
            ],
            unit="percent",
            alarm=cpu_percent,
        ),
        picture(
            f"{view.title}: memory of a task; CPU credits of an instance",
            [aws_metrics.task_memory(view)],
            unit="percent",
            right=[aws_metrics.cpu_credits(view)],
            right_unit="credits",
            minutes=5,
        ),
    ]


def add_service_alarms(alarms: Alarms, view: ServiceView, *, cpu_percent: int) -> None:
    """Alarm when tasks or instances are missing, and when the processors are busy for long."""
    if view.is_always_there:
        alarms.add(
            f"{view.name}TasksMissing",
            aws_metrics.running_tasks(view),
            threshold=view.tasks.minimum,
            below=True,
            periods=10,
            silence=Silence.NOBODY_IS_THERE,
            meaning=f"{view.title}: fewer tasks run than the least number, for ten minutes",
            runbook=Runbook.TASKS,
        )
    alarms.add(
        f"{view.name}InstancesMissing",
        cloudwatch.MathExpression(
            expression="wanted - there",
            using_metrics={
                "wanted": aws_metrics.instances_wanted(view),
                "there": aws_metrics.instances_in_service(view),
            },
            period=Duration.minutes(1),
            label="instances missing",
        ),
        threshold=1,
        periods=15,
        silence=Silence.UNKNOWN,
        meaning=f"{view.title}: an instance that tasks wait for does not come, for a quarter of an hour",
        runbook=Runbook.TASKS,
    )
    alarms.add(
        f"{view.name}Busy",
        aws_metrics.task_cpu(view, "Average"),
        threshold=cpu_percent,
        periods=15,
        silence=Silence.UNKNOWN,
        meaning=f"{view.title}: the processors are busy for a quarter of an hour, and more tasks have not helped",
        runbook=Runbook.CAPACITY,
    )
