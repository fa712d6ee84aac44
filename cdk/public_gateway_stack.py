"""The public gateways: where carriers' calls come in."""

from aws_cdk import Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from cdk.constructs.capacity import Capacity
from cdk.constructs.carrier_accelerator import CarrierAccelerator
from cdk.constructs.carrier_load_balancer import CarrierLoadBalancer
from cdk.constructs.container import tcp, udp
from cdk.constructs.container_service import ContainerService
from cdk.constructs.gateway_containers import STATE, gateway_containers
from cdk.constructs.published import Published
from cdk.constructs.scheduler_access import PUBLIC_GATEWAY, grant_scheduler_access, table_names
from cdk.data_stack import DataStack
from cdk.images import ImageName
from cdk.network_stack import NetworkStack
from cdk.secrets_stack import EVENT_SOCKET_PASSWORD, container_secret
from cdk.settings import Settings


class PublicGatewayStack(Stack):
    """An ECS service in private subnets behind a load balancer whose addresses carriers know.

    Attributes:
        balancer: the load balancer and its target groups.
        capacity: the instances.
        service: the ECS service and its logs.
        advertised_address: what the gateways are known by in a call: the accelerator's first address, or the load
            balancer's in the first zone.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        network: NetworkStack,
        data: DataStack,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            env=Environment(region=settings.home_region),
            description=f"SomlengSWITCH ({settings.environment}): public gateways",
            termination_protection=settings.protect_data,
        )
        self.balancer = CarrierLoadBalancer(self, "Balancer", settings=settings, vpc=network.vpc)
        addresses = self.balancer.addresses
        if settings.public_gateway.global_accelerator:
            accelerator = CarrierAccelerator(
                self, "Accelerator", settings=settings, load_balancer=self.balancer.load_balancer
            )
            addresses = accelerator.addresses
        self.advertised_address = addresses[0]

        self.capacity = Capacity(
            self,
            "Capacity",
            settings=settings,
            tasks=settings.public_gateway_tasks,
            cluster=settings.ecs.public_gateway_cluster,
            vpc=network.vpc,
        )
        group = self._security_group(settings, network)
        self.service = self._service(settings, data, group)
        self.service.scale_on_cpu(settings.public_gateway.target_cpu_percent)
        self.balancer.forward_to(self.service.service, group)
        grant_scheduler_access(self.service.task_role, tables=data.tables, access=PUBLIC_GATEWAY)

        published = Published(self, "Published", settings=settings)
        published.output("SipAddress", addresses[0], "Where carriers send calls; the address that calls go on with")
        published.output("SipOtherAddress", addresses[1], "Leads to the same gateways; a call goes on at SipAddress")

    def _service(self, settings: Settings, data: DataStack, group: ec2.SecurityGroup) -> ContainerService:
        gateway = settings.public_gateway
        return ContainerService(
            self,
            "Service",
            settings=settings,
            name=settings.ecs.public_gateway_service,
            tasks=settings.public_gateway_tasks,
            capacity=self.capacity,
            security_groups=[group],
            volumes=[ecs.Volume(name=STATE)],
            # The load balancer knows a new task before OpenSIPS runs, which waits for the tables.
            health_check_grace_seconds=300,
            containers=gateway_containers(
                settings=settings,
                kind="public",
                image=ImageName.PUBLIC_GATEWAY,
                environment={
                    "SIP_ADVERTISED_ADDRESS": self.advertised_address,
                    "SIP_PORT": str(gateway.sip_port),
                    "SIP_ALTERNATIVE_PORT": str(gateway.sip_alternative_port),
                },
                ports=(udp(gateway.sip_port), udp(gateway.sip_alternative_port), tcp(gateway.sip_port)),
                tables=table_names(data.tables, PUBLIC_GATEWAY),
                event_socket_password=container_secret(self, settings, EVENT_SOCKET_PASSWORD),
                name=settings.ecs.public_gateway_service,
            ),
        )

    def _security_group(self, settings: Settings, network: NetworkStack) -> ec2.SecurityGroup:
        gateway, switch = settings.public_gateway, settings.switch
        group = ec2.SecurityGroup(
            self, "Tasks", vpc=network.vpc, description="Public gateways", allow_all_outbound=False
        )
        for port in (gateway.sip_port, gateway.sip_alternative_port):
            for cidr in network.private_cidrs:
                group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.udp(port), "Switches, within a call")
        for cidr in network.private_cidrs:
            event_sockets = ec2.Port.tcp(switch.event_socket_port)
            group.add_egress_rule(ec2.Peer.ipv4(cidr), event_sockets, "Event sockets of switches")
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.all_udp(), "SIP of switches and carriers, at any port")
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "DynamoDB")
        return group
