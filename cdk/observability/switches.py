"""The switches of a region: calls that there are, what gets lost of them, and what they stand on."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elb

from cdk.alarm_settings import AlarmThresholds
from cdk.constructs.alarms import Alarms, Silence
from cdk.observability import aws_metrics
from cdk.observability.own_metrics import of_service
from cdk.observability.pictures import Row, picture
from cdk.observability.service_view import ServiceView
from cdk.runbooks import Runbook
from cdk.settings import Settings
from cdk.switch_stack import SwitchStack

LOST = ("NotificationDropped", "NotificationRefused", "RecordingLost", "CallDataRecordLost", "CallDataRecordSetAside")
"""What the platform never gets of a call."""


def switch_view(settings: Settings, stack: SwitchStack) -> ServiceView:
    """Return the switches of the stack's region."""
    ecs = settings.ecs
    return ServiceView(
        "Switches", "Switch", ecs.switch_cluster, ecs.switch_service, settings.switch_tasks, stack.capacity
    )


def sessions(view: ServiceView, *, label: str, region: str) -> cloudwatch.MathExpression:
    """Return the channels of all switches of a region: the average a switch, times the switches."""
    # The names of all expressions of a picture are in one room.
    name = region.replace("-", "_")
    return cloudwatch.MathExpression(
        expression=f"average_{name} * tasks_{name}",
        using_metrics={
            f"average_{name}": of_service("SessionCount", view.service, "Average", region=region),
            f"tasks_{name}": aws_metrics.running_tasks(view, region=region),
        },
        period=Duration.minutes(1),
        label=label,
    )


def call_rows(settings: Settings, view: ServiceView) -> list[Row]:
    """Return the pictures of calls on switches."""
    service, at = view.service, settings.alarm_at
    full = settings.switch.maximum_sessions * at.sessions_percent / 100
    return [
        [
            picture(
                "How full are switches: channels of the fullest one",
                [
                    of_service("SessionCount", service, "Maximum", label="fullest"),
                    of_service("SessionCount", service, "Average", label="average"),
                    of_service("MaxSessions", service, "Minimum", label="bound"),
                ],
                unit="channels a switch",
                alarm=full,
            ),
            picture(
                "Calls that apps run, on the busiest switch",
                [
                    of_service("LiveCalls", service, "Maximum", label="busiest"),
                    of_service("LiveCalls", service, "Average", label="average"),
                ],
                unit="calls a switch",
            ),
            picture(
                "Does anything get lost of a call",
                [of_service(name, service, "Sum", minutes=5) for name in LOST],
                unit="in 5 minutes",
                minutes=5,
                alarm=at.notifications_dropped,
            ),
        ],
        [
            picture(
                "What waits for the platform",
                [
                    of_service("NotificationsWaiting", service, "Maximum"),
                    of_service("CallDataRecordsWaiting", service, "Maximum"),
                ],
                unit="count",
                right=[of_service("CallDataRecordsAge", service, "Maximum")],
                right_unit="seconds",
            ),
            picture(
                "Is the event logger at FreeSWITCH, and the platform told which calls live",
                [of_service("EventSocketConnected", service, "Minimum", label="connected, minimum")],
                unit="0 or 1",
                right=[
                    of_service("EventSocketLost", service, "Sum"),
                    of_service("CallHeartbeatFailed", service, "Sum"),
                    of_service("LogLinesLost", service, "Sum"),
                ],
                right_unit="count",
            ),
            picture(
                "Delivered: recordings and call data records; media streams",
                [
                    of_service(name, service, "Sum", minutes=5)
                    for name in (
                        "RecordingDelivered",
                        "CallDataRecordSent",
                        "MediaStreamStarted",
                        "MediaStreamFailed",
                        "MediaStreamOverflow",
                    )
                ],
                unit="in 5 minutes",
                minutes=5,
            ),
        ],
    ]


def ground_row(stack: SwitchStack, *, nat_gateway: str) -> Row:
    """Return the pictures of what switches stand on: load balancer, cache, NAT gateway."""
    targets, balancer = stack.balancer.targets.metrics, stack.balancer.balancer.metrics
    minute, files = Duration.minutes(1), stack.cache.file_system_id
    return [
        picture(
            "The platform's requests to switches: healthy targets; errors",
            [targets.healthy_host_count(statistic="Minimum", period=minute, label="healthy targets")],
            unit="count",
            right=[
                balancer.http_code_elb(
                    elb.HttpCodeElb.ELB_5XX_COUNT, statistic="Sum", period=minute, label="no answer"
                ),
                targets.http_code_target(
                    elb.HttpCodeTarget.TARGET_5XX_COUNT, statistic="Sum", period=minute, label="errors"
                ),
            ],
            right_unit="requests",
        ),
        picture(
            "Cache of speech and audio (EFS)",
            [
                aws_metrics.file_system(files, "DataReadIOBytes", "Sum"),
                aws_metrics.file_system(files, "DataWriteIOBytes", "Sum"),
            ],
            unit="bytes in 5 minutes",
            right=[aws_metrics.file_system(files, "PercentIOLimit", "Maximum")],
            right_unit="percent",
            minutes=5,
        ),
        picture(
            "NAT gateway: connections and packets that it could not carry; bytes",
            [
                aws_metrics.nat_gateway(nat_gateway, "ErrorPortAllocation"),
                aws_metrics.nat_gateway(nat_gateway, "PacketsDropCount"),
            ],
            unit="in 5 minutes",
            right=[aws_metrics.nat_gateway(nat_gateway, "BytesOutToDestination")],
            right_unit="bytes in 5 minutes",
            minutes=5,
        ),
    ]


def add_switch_alarms(alarms: Alarms, settings: Settings, view: ServiceView, at: AlarmThresholds) -> None:
    """Alarm when switches are full, silent, or lose what belongs to a call."""
    silence = Silence.NOBODY_IS_THERE if view.is_always_there else Silence.NOTHING_HAPPENED
    service = view.service
    alarms.add(
        "SwitchFull",
        of_service("SessionCount", service, "Maximum"),
        threshold=settings.switch.maximum_sessions * at.sessions_percent / 100,
        periods=5,
        meaning="A switch has nearly as many channels as it may, for five minutes; further calls go to another, if any",
        runbook=Runbook.CAPACITY,
    )
    alarms.add(
        "SwitchSilent",
        of_service("EventSocketConnected", service, "Minimum"),
        threshold=1,
        below=True,
        periods=5,
        silence=silence,
        meaning="An event logger is not at its FreeSWITCH, or tells nothing: ECS scales on what it counts",
        runbook=Runbook.EVENT_LOGGER,
    )
    alarms.add(
        "CallHeartbeatsFailing",
        of_service("CallHeartbeatFailed", service, "Sum", minutes=5),
        threshold=5,
        periods=2,
        meaning="The platform is not told which calls live; it ends those that it does not hear of for 15 minutes",
        runbook=Runbook.EVENT_LOGGER,
    )
    alarms.add(
        "CallDataRecordsWaiting",
        of_service("CallDataRecordsAge", service, "Maximum"),
        threshold=at.record_age_seconds,
        meaning="A call data record waits too long for the platform",
        runbook=Runbook.EVENT_LOGGER,
    )
    for name, threshold, meaning, runbook in (
        (
            "NotificationDropped",
            at.notifications_dropped,
            "Events of calls were dropped: too many waited for the platform, or a switch ended before it took them",
            Runbook.DELIVERIES,
        ),
        ("RecordingLost", 1, "A recording was given up, or is left for the switch's next start", Runbook.DELIVERIES),
        ("CallDataRecordLost", 1, "A call data record could not be written", Runbook.DELIVERIES),
        ("CallDataRecordSetAside", 1, "A call data record was refused or is damaged", Runbook.EVENT_LOGGER),
    ):
        alarms.add(
            name,
            of_service(name, service, "Sum", minutes=5),
            threshold=threshold,
            meaning=meaning,
            runbook=runbook,
        )


def add_ground_alarms(alarms: Alarms, view: ServiceView, stack: SwitchStack, *, nat_gateway: str) -> None:
    """Alarm when the platform cannot reach switches, or switches cannot reach the world or their cache."""
    targets, balancer = stack.balancer.targets.metrics, stack.balancer.balancer.metrics
    five = Duration.minutes(5)
    if view.is_always_there:
        alarms.add(
            "SwitchesUnreachable",
            targets.healthy_host_count(statistic="Minimum", period=Duration.minutes(1)),
            threshold=1,
            below=True,
            periods=3,
            silence=Silence.NOBODY_IS_THERE,
            meaning="No switch takes calls that the platform makes",
            runbook=Runbook.TASKS,
        )
    alarms.add(
        "SwitchRequestsFailed",
        cloudwatch.MathExpression(
            expression="FILL(nobody, 0) + FILL(failed, 0)",
            using_metrics={
                "nobody": balancer.http_code_elb(elb.HttpCodeElb.ELB_5XX_COUNT, statistic="Sum", period=five),
                "failed": targets.http_code_target(elb.HttpCodeTarget.TARGET_5XX_COUNT, statistic="Sum", period=five),
            },
            period=five,
            label="requests that failed",
        ),
        threshold=5,
        meaning="Requests of the platform to switches failed: calls that it makes are not made",
        runbook=Runbook.SWITCH_APP,
    )
    alarms.add(
        "NatPortsUsedUp",
        aws_metrics.nat_gateway(nat_gateway, "ErrorPortAllocation"),
        threshold=1,
        meaning="The NAT gateway has no port left towards an address: media or requests do not get out",
        runbook=Runbook.NETWORK,
    )
    alarms.add(
        "CacheBusy",
        aws_metrics.file_system(stack.cache.file_system_id, "PercentIOLimit", "Maximum"),
        threshold=90,
        periods=3,
        silence=Silence.UNKNOWN,
        meaning="The cache of speech and audio is at the bound of its operations: callers wait for prompts",
        runbook=Runbook.CAPACITY,
    )
