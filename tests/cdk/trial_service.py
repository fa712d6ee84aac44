"""A small stack of the shared constructs: one service with addresses of its own, one on its instances' network."""

from collections.abc import Sequence

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from cdk import nag
from cdk.constructs.capacity import Capacity
from cdk.constructs.container import Container, tcp, udp
from cdk.constructs.container_service import ContainerService
from cdk.context import read_settings
from cdk.images import ImageName
from cdk.network_stack import NetworkStack
from cdk.secrets_stack import EVENT_SOCKET_PASSWORD, container_secret
from cdk.settings import Settings
from tests.cdk.conftest import CONTEXT


class TrialStack(Stack):
    """Both kinds of services."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, network: NetworkStack) -> None:
        super().__init__(scope, construct_id, env=Environment(region=settings.home_region))
        group = ec2.SecurityGroup(self, "Tasks", vpc=network.vpc)
        self._capacity = Capacity(
            self,
            "OwnCapacity",
            settings=settings,
            tasks=settings.public_gateway_tasks,
            cluster=settings.ecs.public_gateway_cluster,
            vpc=network.vpc,
        )
        self.own = ContainerService(
            self,
            "Own",
            settings=settings,
            name=settings.ecs.public_gateway_service,
            tasks=settings.public_gateway_tasks,
            capacity=self._capacity,
            security_groups=[group],
            volumes=[ecs.Volume(name="state")],
            containers=self._containers(settings),
        )
        self.own.scale_on_cpu(30)
        boot = ec2.UserData.for_linux()
        boot.add_commands("assign-address")
        self.shared = ContainerService(
            self,
            "Shared",
            settings=settings,
            name=settings.ecs.media_proxy_service,
            tasks=settings.media_proxy_tasks,
            capacity=Capacity(
                self,
                "SharedCapacity",
                settings=settings,
                tasks=settings.media_proxy_tasks,
                cluster=settings.ecs.media_proxy_cluster,
                vpc=network.vpc,
                public=True,
                spare=0,
                user_data=boot,
            ),
            containers=[
                Container(name="media-proxy", image=ImageName.MEDIA_PROXY, health_check=("/check",), ports=(udp(2223),))
            ],
            minimum_healthy_percent=50,
            maximum_healthy_percent=100,
        )

    def _containers(self, settings: Settings) -> Sequence[Container]:
        return [
            Container(
                name="scheduler",
                image=ImageName.GATEWAY_SCHEDULER,
                environment={"GATEWAY_KIND": "public"},
                secrets={"FS_EVENT_SOCKET_PASSWORD": container_secret(self, settings, EVENT_SOCKET_PASSWORD)},
                mounts={"/var/lib/opensips": "state"},
                health_check=("python", "-m", "opensips_scheduler.healthcheck"),
                read_only_root=True,
            ),
            Container(
                name="gateway",
                image=ImageName.PUBLIC_GATEWAY,
                ports=(udp(5060), tcp(5060)),
                mounts={"/var/lib/opensips": "state"},
                starts_after=("scheduler",),
                stop_seconds=120,
                health_check=("/opt/gateway/healthcheck.sh",),
            ),
        ]


def trial(outdir: str, **overrides: str) -> App:
    """Return an app with the stack and the network that it is in, checked as the product's are."""
    app = App(context={**CONTEXT, "environment": "production", **overrides}, outdir=outdir)
    settings = read_settings(app.node.get_all_context())
    network = NetworkStack(app, "network", settings=settings, region=settings.home)
    TrialStack(app, "trial", settings=settings, network=network)
    nag.check(app)
    return app
