"""What a switch task is made of: four containers, their settings, and the order in which they start and stop."""

from collections.abc import Sequence

from aws_cdk import aws_ecs as ecs

from cdk.constructs.container import Container, tcp, udp
from cdk.constructs.recordings_bucket import recordings_bucket_name
from cdk.images import ImageName
from cdk.network_stack import NetworkStack
from cdk.settings import Region, Settings

CACHE = "cache"
STORAGE = "storage"
NGINX_STATE = "nginx-state"
"""The volumes' names."""

HTTP_PORT = 80
RTP_PORTS = (16_384, 32_768)
"""First and last port of FreeSWITCH's media."""

_SHARED = {"/cache": CACHE, "/var/lib/freeswitch/storage": STORAGE}


def switch_containers(
    *,
    settings: Settings,
    region: Region,
    network: NetworkStack,
    services_function_arn: str,
    event_socket_password: ecs.Secret,
    http_password: ecs.Secret,
) -> Sequence[Container]:
    """Return the containers of a switch in a region, in the order in which they start.

    ECS tells them to stop in the reverse order, which is that of `docs/scale-in.md`: the app first, which drains; then
    nginx, by which live calls are changed meanwhile, and FreeSWITCH; the event logger last, which delivers the records
    of the last calls. The event logger is healthy once it reaches FreeSWITCH, so FreeSWITCH does not wait for that.
    """
    switch = settings.switch
    platform = {
        "AWS_DEFAULT_REGION": region.identifier,
        "CALL_PLATFORM_HOST": settings.call_platform.host,
        "CALL_PLATFORM_USERNAME": settings.call_platform.username,
        "CALL_PLATFORM_PASSWORD_PARAMETER": settings.call_platform.password_parameter,
        "CALL_PLATFORM_PASSWORD_PARAMETER_REGION": settings.home_region,
    }
    event_logger = Container(
        name="freeswitch-event-logger",
        image=ImageName.FREESWITCH_EVENT_LOGGER,
        environment={
            **platform,
            "EVENT_SOCKET_HOST": f"127.0.0.1:{switch.event_socket_port}",
            "SERVICE_NAME": settings.ecs.switch_service,
        },
        secrets={"EVENT_SOCKET_PASSWORD": event_socket_password},
        mounts={"/var/lib/freeswitch/storage": STORAGE},
        health_check=("python", "-m", "freeswitch_event_logger.healthcheck"),
        stop_seconds=120,
        read_only_root=True,
    )
    freeswitch = Container(
        name="freeswitch",
        image=ImageName.FREESWITCH,
        environment={
            "FS_NAT_GATEWAY_IP": network.nat_address,
            # There is no NAT instance: what comes by the alternative port is told the NAT gateway's address, too.
            "FS_NAT_INSTANCE_IP": network.nat_address,
            "FS_SIP_PORT": str(switch.sip_port),
            "FS_SIP_ALTERNATIVE_PORT": str(switch.sip_alternative_port),
            "FS_EVENT_SOCKET_PORT": str(switch.event_socket_port),
            "FS_EVENT_SOCKET_NETWORKS": f"127.0.0.0/8,{settings.network(settings.home_region).cidr}",
            "FS_MAXIMUM_SESSIONS": str(switch.maximum_sessions),
            "FS_RTP_PORT_MINIMUM": str(RTP_PORTS[0]),
            "FS_RTP_PORT_MAXIMUM": str(RTP_PORTS[1]),
        },
        secrets={"FS_EVENT_SOCKET_PASSWORD": event_socket_password},
        ports=(udp(switch.sip_port), udp(switch.sip_alternative_port), tcp(switch.event_socket_port)),
        mounts=_SHARED,
        health_check=("/opt/freeswitch/healthcheck.sh",),
        starts_beside=("freeswitch-event-logger",),
        start_seconds=60,
        stop_seconds=120,
    )
    nginx = Container(
        name="nginx",
        image=ImageName.SWITCH_WEBSERVER,
        environment={"HTTP_PORT": str(HTTP_PORT), "TRUSTED_PROXIES": network.cidr},
        ports=(tcp(HTTP_PORT),),
        mounts={"/run/nginx": NGINX_STATE},
        health_check=("/opt/nginx/healthcheck.sh",),
        start_seconds=10,
        read_only_root=True,
    )
    app = Container(
        name="switch-app",
        image=ImageName.SWITCH_APP,
        environment={
            **platform,
            "SERVICE_NAME": settings.ecs.switch_service,
            "REGION": region.alias,
            "SERVICES_FUNCTION_ARN": services_function_arn,
            "SERVICES_FUNCTION_REGION": settings.home_region,
            "FS_EVENT_SOCKET_PORT": str(switch.event_socket_port),
            "FS_RECORDINGS_BUCKET_NAME": recordings_bucket_name(settings),
            "FS_RECORDINGS_BUCKET_REGION": settings.home_region,
        },
        secrets={"AHN_HTTP_PASSWORD": http_password, "FS_EVENT_SOCKET_PASSWORD": event_socket_password},
        mounts=_SHARED,
        health_check=("python", "-m", "switch_app.healthcheck"),
        starts_after=("freeswitch", "nginx"),
        stop_seconds=120,
        read_only_root=True,
    )
    return (event_logger, freeswitch, nginx, app)
