"""Which of ECS's events are followed."""

from aws_cdk import aws_events as events

from cdk.settings import Settings


def task_state_changes(settings: Settings) -> events.EventPattern:
    """Return the pattern of events about tasks of the switch, the media proxy and the client gateway.

    Services of these names in other clusters of the account are somebody else's: their tasks must take no calls, and
    the function may not ask ECS about them. The emulator's events are written by hand, with any cluster.
    """
    ecs = settings.ecs
    services = (ecs.switch_service, ecs.media_proxy_service, ecs.client_gateway_service)
    clusters = {"clusterArn": [{"suffix": f":cluster/{name}"} for name in ecs.cluster_names]}
    return events.EventPattern(
        # EventBridge takes events of source aws.* from AWS alone, the emulator's included.
        source=["aws.ecs", "local.ecs"] if settings.is_local else ["aws.ecs"],
        detail_type=["ECS Task State Change"],
        detail={
            **({} if settings.is_local else clusters),
            "group": [f"service:{name}" for name in services],
        },
    )
