"""What carriers send their calls to: a network load balancer with addresses that stay."""

from collections.abc import Sequence

from aws_cdk import CfnTag, Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from constructs import Construct

from cdk.constructs.gateway_containers import DRAIN_SECONDS, GATEWAY
from cdk.nag import acknowledge
from cdk.settings import Settings


class CarrierLoadBalancer(Construct):
    """UDP listeners on one Elastic IP a zone; what comes in goes to a gateway with the carrier's own source address.

    A carrier's packets reach one gateway, by their source address alone, so that the requests of a call meet the
    dialog that its first one made.

    Attributes:
        load_balancer: the load balancer.
        security_group: its own, which the gateways let in.
        target_groups: one a port.
        addresses: the Elastic IPs, those of the first zone first.

    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, vpc: ec2.IVpc) -> None:
        super().__init__(scope, construct_id)
        self._settings, self._vpc = settings, vpc
        gateway = settings.public_gateway
        self._ports = (gateway.sip_port, gateway.sip_alternative_port)
        allocations = [self._elastic_ip(number) for number, _ in enumerate(vpc.public_subnets, start=1)]
        self.addresses = [each.attr_public_ip for each in allocations]
        self.security_group = ec2.SecurityGroup(
            self, "Carriers", vpc=vpc, description="What carriers send calls to", allow_all_outbound=False
        )
        for port in self._ports:
            self.security_group.add_ingress_rule(ec2.Peer.any_ipv4(), ec2.Port.udp(port), "SIP of carriers")
        acknowledge(
            self.security_group,
            "AwsSolutions-EC23",
            "Who may call is in the table of addresses, which the platform changes at any time; the gateway refuses "
            "everybody else.",
        )
        self.load_balancer = elb.NetworkLoadBalancer(
            self,
            "LoadBalancer",
            vpc=vpc,
            internet_facing=True,
            cross_zone_enabled=True,
            deletion_protection=settings.protect_data,
            # Without one it could never get one, and an accelerator would not preserve the carriers' addresses.
            security_groups=[self.security_group],
            subnet_mappings=[
                elb.SubnetMapping(subnet=subnet, allocation_id=allocation.attr_allocation_id)
                for subnet, allocation in zip(vpc.public_subnets, allocations, strict=True)
            ],
        )
        acknowledge(
            self.load_balancer,
            "AwsSolutions-ELB2",
            "A network load balancer logs TLS connections alone, and there are none; the network's flow log has what "
            "carriers send, and the gateways log what they refuse.",
        )
        self.target_groups: Sequence[elb.NetworkTargetGroup] = [self._target_group(port) for port in self._ports]

    def forward_to(self, service: ecs.Ec2Service, group: ec2.ISecurityGroup) -> None:
        """Have the tasks of a service, whose security group this is, take the carriers' calls."""
        for port, target_group in zip(self._ports, self.target_groups, strict=True):
            target_group.add_target(
                service.load_balancer_target(container_name=GATEWAY, container_port=port, protocol=ecs.Protocol.UDP)
            )
            self._let_through(group, ec2.Port.udp(port), "SIP of carriers")
        self._let_through(group, ec2.Port.tcp(self._settings.public_gateway.sip_port), "Health checks")

    def _let_through(self, group: ec2.ISecurityGroup, port: ec2.Port, what: str) -> None:
        # The balancer's group counts for its members' traffic also where that has the carriers' source addresses.
        group.add_ingress_rule(self.security_group, port, what)
        self.security_group.add_egress_rule(group, port, what)

    def _elastic_ip(self, number: int) -> ec2.CfnEIP:
        name = f"somleng-switch-{self._settings.environment}-public-gateway-{number}"
        address = ec2.CfnEIP(self, f"ElasticIp{number}", domain="vpc", tags=[CfnTag(key="Name", value=name)])
        # Carriers have it in their configuration: it must outlive whatever happens to the stack.
        address.apply_removal_policy(RemovalPolicy.RETAIN if self._settings.protect_data else RemovalPolicy.DESTROY)
        return address

    def _target_group(self, port: int) -> elb.NetworkTargetGroup:
        group = elb.NetworkTargetGroup(
            self,
            f"Targets{port}",
            vpc=self._vpc,
            port=port,
            protocol=elb.Protocol.UDP,
            target_type=elb.TargetType.IP,
            # The gateway admits carriers by their source address.
            preserve_client_ip=True,
            # ECS tells a gateway to stop when this is over. Until then it gets what carriers send that it knows from
            # earlier, and then nothing any more: a flow of packets that never pauses would never end by itself.
            deregistration_delay=Duration.seconds(DRAIN_SECONDS + 10),
            connection_termination=True,
            health_check=elb.HealthCheck(
                protocol=elb.Protocol.TCP,
                port=str(self._settings.public_gateway.sip_port),
                interval=Duration.seconds(10),
                healthy_threshold_count=2,
                unhealthy_threshold_count=2,
            ),
        )
        group.set_attribute("stickiness.enabled", "true")
        group.set_attribute("stickiness.type", "source_ip")
        self.load_balancer.add_listener(
            f"Sip{port}", port=port, protocol=elb.Protocol.UDP, default_target_groups=[group]
        )
        return group
