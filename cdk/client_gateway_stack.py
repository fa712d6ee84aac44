"""The client gateways: where SIP clients register and call in."""

from aws_cdk import Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from cdk.constructs.capacity import Capacity
from cdk.constructs.client_gateway_domain import ClientGatewayDomain
from cdk.constructs.container import tcp, udp
from cdk.constructs.container_service import ContainerService
from cdk.constructs.gateway_containers import STATE, gateway_containers
from cdk.constructs.published import Published
from cdk.constructs.scheduler_access import CLIENT_GATEWAY, grant_scheduler_access, table_names
from cdk.constructs.service_addresses import ServiceAddresses, assign_commands
from cdk.data_stack import DataStack
from cdk.images import ImageName
from cdk.media_proxy_stack import MediaProxyStack
from cdk.nag import acknowledge
from cdk.network_stack import NetworkStack
from cdk.secrets_stack import EVENT_SOCKET_PASSWORD, container_secret
from cdk.settings import Settings

_STATE_DIRECTORY = "/var/lib/somleng-switch/client-gateway"
"""On the instance: contacts and dialogs outlive a task, which its successor takes over with instance and address."""

_CONTAINER_USER = 506


class ClientGatewayStack(Stack):
    """An ECS service on the network of its instances, each of which has one of a few Elastic IPs that clients know.

    Attributes:
        addresses: the Elastic IPs.
        capacity: the instances.
        service: the ECS service and its logs.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        network: NetworkStack,
        data: DataStack,
        media_proxy: MediaProxyStack,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            env=Environment(region=settings.home_region),
            description=f"SomlengSWITCH ({settings.environment}): client gateways",
            termination_protection=settings.protect_data,
        )
        name, tasks = settings.ecs.client_gateway_service, settings.client_gateway_tasks
        pool = ServiceAddresses(self, "ClientGateway", settings=settings, service=name, count=tasks.maximum)
        self.addresses = [each.attr_public_ip for each in pool.addresses]
        boot = ec2.UserData.for_linux()
        boot.add_commands(
            f"install --directory --owner={_CONTAINER_USER} --group={_CONTAINER_USER} --mode=0750 {_STATE_DIRECTORY}",
            *assign_commands(service=name, region=settings.home_region),
        )
        self.capacity = Capacity(
            self,
            "Capacity",
            settings=settings,
            tasks=tasks,
            cluster=settings.ecs.client_gateway_cluster,
            vpc=network.vpc,
            public=True,
            spare=0,
            user_data=boot,
        )
        pool.grant_assignment(self.capacity)
        self._open_sip_ports(settings)
        self._reach(settings, media_proxy)
        self.service = self._service(settings, data)
        self.service.scale_on_cpu(settings.client_gateway.target_cpu_percent)
        grant_scheduler_access(self.service.task_role, tables=data.tables, access=CLIENT_GATEWAY)

        gateway = settings.client_gateway
        if gateway.domain is not None and gateway.hosted_zone_id is not None:
            ClientGatewayDomain(
                self,
                "Domain",
                settings=settings,
                domain=gateway.domain,
                hosted_zone_id=gateway.hosted_zone_id,
                addresses=self.addresses,
            )
        published = Published(self, "Published", settings=settings)
        published.output("SipAddresses", " ".join(self.addresses), "What the client gateways' name has to lead to")

    def _service(self, settings: Settings, data: DataStack) -> ContainerService:
        gateway, tasks = settings.client_gateway, settings.client_gateway_tasks
        return ContainerService(
            self,
            "Service",
            settings=settings,
            name=settings.ecs.client_gateway_service,
            tasks=tasks,
            capacity=self.capacity,
            volumes=[ecs.Volume(name=STATE, host=ecs.Host(source_path=_STATE_DIRECTORY))],
            # In place: there are no more addresses than tasks. With one task, half of them would be that one.
            minimum_healthy_percent=50 if tasks.minimum > 1 else 0,
            maximum_healthy_percent=100,
            containers=gateway_containers(
                settings=settings,
                kind="client",
                image=ImageName.CLIENT_GATEWAY,
                environment={
                    # The Elastic IP. The scheduler asks, too, and keeps contacts under it, so that they are found by
                    # whoever has the address next.
                    "SIP_ADVERTISED_ADDRESS": "instance-metadata",
                    "SIP_PORT": str(gateway.sip_port),
                    "SIP_REALM": gateway.realm,
                    "SWITCH_GROUP_ID": str(settings.home.group_id),
                },
                ports=(udp(gateway.sip_port), tcp(gateway.sip_port)),
                tables=table_names(data.tables, CLIENT_GATEWAY),
                event_socket_password=container_secret(self, settings, EVENT_SOCKET_PASSWORD),
            ),
        )

    def _open_sip_ports(self, settings: Settings) -> None:
        port, group = settings.client_gateway.sip_port, self.capacity.security_group
        group.add_ingress_rule(ec2.Peer.any_ipv4(), ec2.Port.udp(port), "SIP of clients and switches")
        group.add_ingress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "SIP of clients, and health checks of Route 53")
        acknowledge(
            group,
            "AwsSolutions-EC23",
            "Clients register from wherever they are, with a password; nothing but SIP is open.",
        )

    def _reach(self, settings: Settings, media_proxy: MediaProxyStack) -> None:
        # Media proxies are asked at their private addresses. Their stack is deployed first, so the rule is in this one.
        port = settings.media_proxy.ng_port
        ec2.CfnSecurityGroupIngress(
            self,
            "MediaProxyControl",
            group_id=media_proxy.capacity.security_group.security_group_id,
            source_security_group_id=self.capacity.security_group.security_group_id,
            ip_protocol="udp",
            from_port=port,
            to_port=port,
            description="Control protocol, from client gateways",
        )
