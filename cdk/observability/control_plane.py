"""The control plane: the platform's jobs, the functions, the tables."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk.constructs.alarms import Alarms, Silence
from cdk.constructs.event_function import function_name
from cdk.constructs.routing_tables import SHAPES
from cdk.data_stack import DataStack
from cdk.observability import aws_metrics
from cdk.observability.own_metrics import of_function, of_function_by
from cdk.observability.pictures import Row, picture
from cdk.runbooks import Runbook
from cdk.services_stack import ServicesStack
from cdk.settings import Settings

_VISIBLE = "ApproximateNumberOfMessagesVisible"


def table_names(data: DataStack) -> list[tuple[str, str]]:
    """Return what to call each table, and its name."""
    return [(shape.name, data.tables[shape].table_name) for shape in SHAPES]


def jobs_rows(settings: Settings, services: ServicesStack) -> list[Row]:
    """Return the pictures of the queue, and of what comes of jobs and task events."""
    own = function_name(settings, "services")
    return [
        [
            picture(
                "Do jobs wait: age of the oldest, and how many",
                [aws_metrics.queue("ApproximateAgeOfOldestMessage", services.queue.queue_name, "Maximum", "age")],
                unit="seconds",
                right=[aws_metrics.queue(_VISIBLE, services.queue.queue_name, "Maximum", "waiting")],
                right_unit="messages",
                alarm=settings.queue.max_age_seconds,
                minutes=5,
            ),
            picture(
                "Was anything given up: dead letters and failures",
                [
                    aws_metrics.queue(_VISIBLE, services.dead_letters.queue_name, "Maximum", "dead letters"),
                    aws_metrics.queue(_VISIBLE, services.services.failures.queue_name, "Maximum", "events"),
                    aws_metrics.queue(_VISIBLE, services.s3_mpeg.failures.queue_name, "Maximum", "recordings"),
                ],
                unit="messages",
                alarm=1,
                minutes=5,
            ),
            picture(
                "Do events get lost: rows that the reconcile had to write",
                [of_function("RowsHealed", own, "Sum")],
                unit="rows in 5 minutes",
                minutes=5,
            ),
        ],
        [
            picture(
                "Jobs of the platform",
                [of_function(name, own, "Sum") for name in ("MessagesDone", "MessagesFailed")],
                unit="messages in 5 minutes",
                minutes=5,
            ),
            picture(
                "Task events by what came of them",
                [
                    of_function(name, own, "Sum")
                    for name in ("TaskEventsChanged", "TaskEventsUnchanged", "TaskEventsIgnored", "EventsFailed")
                ],
                unit="events in 5 minutes",
                minutes=5,
            ),
            _function("Services function", own),
        ],
    ]


def recordings_rows(settings: Settings) -> list[Row]:
    """Return the pictures of recordings that become MP3s."""
    own = function_name(settings, "s3_mpeg")
    return [
        [
            picture(
                "Recordings: converted; skipped by reason; failed by cause",
                [
                    of_function("RecordingsConverted", own, "Sum"),
                    of_function_by("RecordingsSkipped", own, "reason", "Sum"),
                    of_function_by("RecordingsFailed", own, "cause", "Sum"),
                ],
                unit="recordings in 5 minutes",
                minutes=5,
            ),
            picture(
                "How fast: seconds of audio a second of work, the slowest",
                [
                    of_function("EncodeSpeed", own, "Minimum"),
                    of_function("EncodeSpeed", own, "Average", label="average"),
                ],
                unit="times real time",
                right=[of_function("AudioSeconds", own, "Maximum", label="longest recording")],
                right_unit="seconds",
                minutes=5,
            ),
            _function("S3 MPEG function", own),
        ],
        [
            picture(
                "Bytes of recordings",
                [of_function(name, own, "Sum") for name in ("BytesIn", "BytesOut")],
                unit="bytes in 5 minutes",
                minutes=5,
            ),
        ],
    ]


def tables_row(data: DataStack) -> Row:
    """Return the pictures of the tables."""
    names = table_names(data)
    return [
        picture(
            "DynamoDB: throttled reads and writes",
            [
                _sum("reads", aws_metrics.tables("ReadThrottleEvents", names)),
                _sum("writes", aws_metrics.tables("WriteThrottleEvents", names)),
            ],
            unit="events in 5 minutes",
            minutes=5,
            alarm=1,
        ),
        picture(
            "DynamoDB: read units by table",
            aws_metrics.tables("ConsumedReadCapacityUnits", names),
            unit="units in 5 minutes",
            minutes=5,
        ),
        picture(
            "DynamoDB: write units by table",
            aws_metrics.tables("ConsumedWriteCapacityUnits", names),
            unit="units in 5 minutes",
            minutes=5,
        ),
    ]


def add_control_plane_alarms(alarms: Alarms, settings: Settings, data: DataStack) -> None:
    """Alarm when tables throttle, and when events get lost again and again."""
    names = table_names(data)
    for what, name in (("Reads", "ReadThrottleEvents"), ("Writes", "WriteThrottleEvents")):
        alarms.add(
            f"Tables{what}Throttled",
            _sum(what.lower(), aws_metrics.tables(name, names)),
            threshold=1,
            periods=2,
            of=3,
            meaning=f"DynamoDB throttles {what.lower()} of the tables; they are tried again, and take longer",
            runbook=Runbook.THROTTLES,
        )
    alarms.add(
        "RowsHealedAgain",
        of_function("RowsHealed", function_name(settings, "services"), "Sum", minutes=15),
        threshold=1,
        periods=4,
        silence=Silence.NOTHING_HAPPENED,
        meaning="The reconcile finds rows to heal again and again, for an hour: task events get lost",
        runbook=Runbook.RECONCILE,
    )


def _sum(label: str, metrics: Sequence[cloudwatch.Metric]) -> cloudwatch.MathExpression:
    names = [f"{label}{number}" for number, _ in enumerate(metrics)]
    return cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({name}, 0)" for name in names),
        using_metrics=dict(zip(names, metrics, strict=True)),
        period=Duration.minutes(5),
        label=label,
    )


def _function(title: str, name: str) -> cloudwatch.IWidget:
    return picture(
        f"{title}: errors and throttles; how long it takes",
        [aws_metrics.function(metric, name, "Sum") for metric in ("Invocations", "Errors", "Throttles")],
        unit="in 5 minutes",
        right=[aws_metrics.function("Duration", name, "p99")],
        right_unit="milliseconds",
        minutes=5,
    )
