"""The two containers of a gateway: OpenSIPS, and the scheduler beside it."""

from collections.abc import Mapping

from aws_cdk import aws_ecs as ecs

from cdk.constructs.container import Container
from cdk.images import ImageName
from cdk.settings import Settings

STATE = "state"
"""The volume that both share: OpenSIPS's files."""

GATEWAY = "gateway"
"""The container that takes SIP, and that a load balancer's targets are."""

DRAIN_SECONDS = 110
"""How long a gateway that is told to stop waits for its calls: `DRAIN_TIMEOUT`."""


def gateway_containers(
    *,
    settings: Settings,
    kind: str,
    image: ImageName,
    environment: Mapping[str, str],
    ports: tuple[ecs.PortMapping, ...],
    tables: Mapping[str, str],
    event_socket_password: ecs.Secret,
    name: str | None = None,
) -> list[Container]:
    """Return the scheduler and the gateway; the gateway starts when the scheduler has copied the tables.

    Parameters:
        settings: the deployment's settings.
        kind: `public` or `client`.
        image: the gateway's.
        environment: what OpenSIPS is told; the scheduler is told its port, too.
        ports: what OpenSIPS listens at.
        tables: the environment that tells a scheduler the names of the tables that it uses.
        event_socket_password: FreeSWITCH's, which the scheduler writes into OpenSIPS's file.
        name: what the gateway is known by in metrics, and keeps contacts under; its advertised address otherwise.

    """
    ecs = settings.ecs
    service = ecs.public_gateway_service if kind == "public" else ecs.client_gateway_service
    known_as = (
        {"SIP_ADVERTISED_ADDRESS": environment["SIP_ADVERTISED_ADDRESS"]} if name is None else {"GATEWAY_NAME": name}
    )
    return [
        Container(
            name="scheduler",
            image=ImageName.GATEWAY_SCHEDULER,
            environment={
                **known_as,
                **tables,
                "GATEWAY_KIND": kind,
                "SERVICE_NAME": service,
                "SIP_PORT": environment["SIP_PORT"],
                "AWS_DEFAULT_REGION": settings.home_region,
            },
            secrets={"FS_EVENT_SOCKET_PASSWORD": event_socket_password},
            mounts={"/var/lib/opensips": STATE},
            health_check=("python", "-m", "opensips_scheduler.healthcheck"),
            read_only_root=True,
        ),
        Container(
            name=GATEWAY,
            image=image,
            environment={**environment, "DRAIN_TIMEOUT": str(DRAIN_SECONDS)},
            ports=ports,
            mounts={"/var/lib/opensips": STATE},
            starts_after=("scheduler",),
            stop_seconds=DRAIN_SECONDS + 10,
            health_check=("/opt/gateway/healthcheck.sh",),
        ),
    ]
