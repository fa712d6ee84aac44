"""The media proxies: rtpengine between SIP clients and the switches."""

from aws_cdk import Environment, Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk.constructs.capacity import Capacity
from cdk.constructs.container import Container, udp
from cdk.constructs.container_service import ContainerService
from cdk.images import ImageName
from cdk.nag import acknowledge
from cdk.network_stack import NetworkStack
from cdk.settings import Settings

_DRAIN_SECONDS = 110


class MediaProxyStack(Stack):
    """An ECS service on the network of its instances, which have a public address each.

    A proxy is known by its instance's addresses: to clients by the public one, to switches and gateways by the private
    one. Neither has to last; the services function follows the tasks.

    Attributes:
        capacity: the instances; their security group lets the client gateways in.
        service: the ECS service and its logs.

    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, network: NetworkStack) -> None:
        super().__init__(
            scope,
            construct_id,
            env=Environment(region=settings.home_region),
            description=f"SomlengSWITCH ({settings.environment}): media proxies",
        )
        self.capacity = Capacity(
            self,
            "Capacity",
            settings=settings,
            tasks=settings.media_proxy_tasks,
            cluster=settings.ecs.media_proxy_cluster,
            vpc=network.vpc,
            public=True,
        )
        self._open_media_ports(settings)
        # New tasks start on instances of their own, beside those that serve calls to their end.
        self.service = ContainerService(
            self,
            "Service",
            settings=settings,
            name=settings.ecs.media_proxy_service,
            tasks=settings.media_proxy_tasks,
            capacity=self.capacity,
            containers=[self._container(settings)],
        )
        self.service.scale_on_cpu(settings.media_proxy.target_cpu_percent)

    def _container(self, settings: Settings) -> Container:
        proxy = settings.media_proxy
        return Container(
            name="media-proxy",
            image=ImageName.MEDIA_PROXY,
            environment={
                "ADVERTISED_ADDRESS": "instance-metadata",
                "NG_PORT": str(proxy.ng_port),
                "MEDIA_PORT_MIN": str(proxy.port_minimum),
                "MEDIA_PORT_MAX": str(proxy.port_maximum),
                "DRAIN_TIMEOUT": str(_DRAIN_SECONDS),
            },
            ports=(udp(proxy.ng_port),),
            health_check=("/opt/media_proxy/healthcheck.sh",),
            stop_seconds=_DRAIN_SECONDS + 10,
        )

    def _open_media_ports(self, settings: Settings) -> None:
        proxy = settings.media_proxy
        group = self.capacity.security_group
        media = ec2.Port.udp_range(proxy.port_minimum, proxy.port_maximum)
        group.add_ingress_rule(ec2.Peer.any_ipv4(), media, "Media of clients and switches")
        acknowledge(
            group,
            "AwsSolutions-EC23",
            "Clients call from wherever they are, and say only in a call which address their media comes from. The "
            "control protocol is open to the client gateways alone.",
        )
