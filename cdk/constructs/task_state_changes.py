"""Which of ECS's events are followed."""

from aws_cdk import aws_events as events

from cdk.settings import Settings


def task_state_changes(settings: Settings) -> events.EventPattern:
    """Return the pattern of events about tasks of the switch, the media proxy and the client gateway."""
    ecs = settings.ecs
    services = (ecs.switch_service, ecs.media_proxy_service, ecs.client_gateway_service)
    return events.EventPattern(
        # EventBridge takes events of source aws.* from AWS alone, the emulator's included.
        source=["aws.ecs", "local.ecs"] if settings.is_local else ["aws.ecs"],
        detail_type=["ECS Task State Change"],
        detail={"group": [f"service:{name}" for name in services]},
    )
