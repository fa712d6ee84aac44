"""The switches of a region."""

from aws_cdk import Duration, Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from cdk.constructs.capacity import Capacity
from cdk.constructs.container_service import ContainerService
from cdk.constructs.published import Published
from cdk.constructs.speech_cache import OWNER, SpeechCache
from cdk.constructs.switch_access import grant_switch_access
from cdk.constructs.switch_load_balancer import SwitchLoadBalancer
from cdk.network_stack import NetworkStack
from cdk.secrets_stack import EVENT_SOCKET_PASSWORD, HTTP_PASSWORD, container_secret
from cdk.services_stack import services_function_arn
from cdk.settings import Region, Settings
from cdk.switch_containers import CACHE, HTTP_PORT, NGINX_STATE, RTP_PORTS, STORAGE, switch_containers

_STORAGE_DIRECTORY = "/var/lib/somleng-switch/storage"


class SwitchStack(Stack):
    """FreeSWITCH with the switch app and their sidecars: as many tasks as there are calls, each on its own instance.

    Tasks of a region share the cache of speech and audio, and nothing else. Recordings and call data records wait on
    the instance's own disk: each switch takes up all that it finds when it starts, so two must not look at the same,
    and a task that is started again on its instance must find what the one before left.

    Attributes:
        cache: the cache of speech and audio.
        capacity: the instances.
        service: the ECS service and its logs.
        balancer: the load balancer and its target group.

    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, region: Region, network: NetworkStack
    ) -> None:
        """Make the switches of a region in its network."""
        super().__init__(
            scope,
            construct_id,
            env=Environment(region=region.identifier),
            description=f"SomlengSWITCH ({settings.environment}): switches of {region.alias}",
        )
        platform = [*network.private_cidrs, *(settings.call_platform.networks or ())]
        tasks = self._tasks(settings, network, platform)
        self.cache = cache = SpeechCache(self, "Cache", vpc=network.vpc, name=CACHE)
        self.capacity = capacity = Capacity(
            self,
            "Capacity",
            settings=settings,
            tasks=settings.switch_tasks,
            cluster=settings.ecs.switch_cluster,
            vpc=network.vpc,
            user_data=_storage(),
        )
        # The instance mounts what its task has; from which of the two addresses is the ECS agent's choice.
        cache.open_to(capacity.security_group, "Instances of switches")
        cache.open_to(tasks, "Switches")
        self.service = service = ContainerService(
            self,
            "Service",
            settings=settings,
            name=settings.ecs.switch_service,
            tasks=settings.switch_tasks,
            capacity=capacity,
            security_groups=[tasks],
            volumes=[
                cache.volume,
                ecs.Volume(name=STORAGE, host=ecs.Host(source_path=_STORAGE_DIRECTORY)),
                ecs.Volume(name=NGINX_STATE),
            ],
            containers=switch_containers(
                settings=settings,
                region=region,
                network=network,
                services_function_arn=services_function_arn(self, settings),
                event_socket_password=container_secret(self, settings, EVENT_SOCKET_PASSWORD),
                http_password=container_secret(self, settings, HTTP_PASSWORD),
            ),
            health_check_grace_seconds=180,
        )
        service.service.node.add_dependency(cache.mounted)
        grant_switch_access(service.task_role, settings=settings, cache=cache)
        service.scale_on_cpu(settings.switch.target_cpu_percent)
        service.scale_on_metric("Sessions", _sessions(settings), settings.switch.target_sessions)
        self.balancer = balancer = SwitchLoadBalancer(
            self,
            "LoadBalancer",
            settings=settings,
            vpc=network.vpc,
            certificate_arn=settings.network(region.identifier).certificate_arn,
            networks=platform,
        )
        balancer.targets.add_target(
            service.service.load_balancer_target(container_name="nginx", container_port=HTTP_PORT)
        )
        published = Published(self, "Published", settings=settings)
        address = balancer.balancer.load_balancer_dns_name
        published.output("SwitchAddress", address, "Where the platform makes calls: DNS name of the load balancer")

    def _tasks(self, settings: Settings, network: NetworkStack, platform: list[str]) -> ec2.SecurityGroup:
        """Return the security group of the tasks: signalling, media and changes of calls from our networks alone.

        Media of carriers needs no rule: the switch sends first, and answers come back by the NAT gateway.
        """
        group = ec2.SecurityGroup(self, "Tasks", vpc=network.vpc, description="Switches")
        switch = settings.switch
        for cidr in network.private_cidrs:
            ours = ec2.Peer.ipv4(cidr)
            group.add_ingress_rule(ours, ec2.Port.udp(switch.sip_port), "SIP by the gateways")
            group.add_ingress_rule(ours, ec2.Port.udp(switch.sip_alternative_port), "SIP, alternative port")
            group.add_ingress_rule(ours, ec2.Port.udp_range(*RTP_PORTS), "Media of the media proxies")
        gateways = ec2.Peer.ipv4(settings.network(settings.home_region).cidr)
        group.add_ingress_rule(gateways, ec2.Port.tcp(switch.event_socket_port), "Gateways count sessions")
        for cidr in platform:
            group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(HTTP_PORT), "The platform changes live calls")
        return group


def _storage() -> ec2.UserData:
    """Return the commands that make the directory on the instance's disk, for the containers' user."""
    commands = ec2.UserData.for_linux()
    commands.add_commands(f"install --directory --owner={OWNER} --group={OWNER} --mode=0750 {_STORAGE_DIRECTORY}")
    return commands


def _sessions(settings: Settings) -> cloudwatch.Metric:
    """Return the channels a switch, as the event logger counts them."""
    return cloudwatch.Metric(
        namespace="SomlengSWITCH",
        metric_name="SessionCount",
        dimensions_map={"ServiceName": settings.ecs.switch_service},
        statistic="Average",
        period=Duration.minutes(1),
    )
