"""The network of a region, and the ECS clusters in it."""

from aws_cdk import CfnTag, Environment, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.constructs.published import Published
from cdk.constructs.service_log import service_log
from cdk.nag import acknowledge
from cdk.settings import Region, Settings

_ALWAYS_PRIVATE = ("ecr.api", "ecr.dkr", "logs")
"""What every instance asks all the time: images and logs do not go through the NAT gateway, which costs by the byte."""


class NetworkStack(Stack):
    """A VPC with public and private subnets in two zones, one way out of the private ones, and the clusters.

    There is one NAT gateway, in one zone, and not one a zone: all switches of a region are known to carriers by its one
    address, which stands in their SDP. If its zone fails, so does the region's media; that is what regions are for.

    Attributes:
        vpc: the network. Stacks of the same region refer to it and its subnets by exports.
        cidr: its IPv4 network.
        private_cidrs: IPv4 networks of all regions' VPCs, this one's first: what is joined by peering.
        nat_gateway_id: the NAT gateway's id.
        nat_address: the address that what is in private subnets is seen under outside.

    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, region: Region) -> None:
        super().__init__(
            scope,
            construct_id,
            env=Environment(region=region.identifier),
            description=f"SomlengSWITCH ({settings.environment}): network and clusters of {region.alias}",
            # Of the home region's, others learn the id: see the peering stacks.
            cross_region_references=True,
            termination_protection=settings.protect_data,
        )
        network = settings.network(region.identifier)
        others = [each.cidr for each in settings.networks if each.region != region.identifier]
        self.cidr = network.cidr
        self.private_cidrs = (network.cidr, *others)
        if network.nat_allocation_id is None:
            address = self._nat_address(settings, region)
            allocation, self.nat_address = address.attr_allocation_id, address.attr_public_ip
        else:
            allocation, self.nat_address = network.nat_allocation_id, region.nat_ip

        nat = ec2.NatProvider.gateway(eip_allocation_ids=[allocation])
        self.vpc = self._vpc(nat)
        (gateway,) = nat.configured_gateways
        self.nat_gateway_id = gateway.gateway_id
        self._endpoints(settings)
        self._flow_log(settings)
        for name in settings.ecs.cluster_names:
            self._cluster(name)

        published = Published(self, "Published", settings=settings)
        published.output("VpcId", self.vpc.vpc_id, f"Network of {region.alias}")
        published.output("NatAddress", self.nat_address, "What carriers and customers see: `nat_ip` of the region")

    def _nat_address(self, settings: Settings, region: Region) -> ec2.CfnEIP:
        address = ec2.CfnEIP(
            self,
            "NatElasticIp",
            domain="vpc",
            tags=[CfnTag(key="Name", value=f"somleng-switch-{settings.environment}-nat-{region.alias}")],
        )
        # Carriers have it in their lists of permitted addresses: it must outlive whatever happens to the stack.
        address.apply_removal_policy(RemovalPolicy.RETAIN if settings.protect_data else RemovalPolicy.DESTROY)
        return address

    def _vpc(self, nat: ec2.NatProvider) -> ec2.Vpc:
        return ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(self.cidr),
            max_azs=2,
            nat_gateways=1,
            nat_gateway_provider=nat,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=24),
                ec2.SubnetConfiguration(name="Private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=24),
            ],
            # The default group lets its own members in, and has none; closing it takes a function of the CDK's.
            restrict_default_security_group=False,
        )

    def _endpoints(self, settings: Settings) -> None:
        for name, gateway in (
            ("S3", ec2.GatewayVpcEndpointAwsService.S3),
            ("DynamoDb", ec2.GatewayVpcEndpointAwsService.DYNAMODB),
        ):
            self.vpc.add_gateway_endpoint(name, service=gateway)
        group = ec2.SecurityGroup(self, "Endpoints", vpc=self.vpc, description="Interface endpoints of AWS services")
        group.add_ingress_rule(ec2.Peer.ipv4(self.cidr), ec2.Port.tcp(443), "From our network")
        for service in (*_ALWAYS_PRIVATE, *(settings.vpc.interface_endpoints or ())):
            self.vpc.add_interface_endpoint(
                "".join(part.title() for part in service.replace("-", ".").split(".")),
                service=ec2.InterfaceVpcEndpointAwsService(service),
                security_groups=[group],
                open=False,
            )

    def _flow_log(self, settings: Settings) -> None:
        log_group = service_log(self, "FlowLog", settings=settings)
        role = iam.Role(self, "FlowLogRole", assumed_by=iam.ServicePrincipal("vpc-flow-logs.amazonaws.com"))
        self.vpc.add_flow_log("FlowLogs", destination=ec2.FlowLogDestination.to_cloud_watch_logs(log_group, role))

    def _cluster(self, name: str) -> None:
        cluster = ecs.Cluster(self, f"Cluster{name.title().replace('-', '')}", cluster_name=name, vpc=self.vpc)
        acknowledge(
            cluster,
            "AwsSolutions-ECS4",
            "Containers tell their own metrics in the embedded format, and ECS counts CPU and memory of each service "
            "by itself; Container Insights would add its price by the metric and nothing that an alarm needs.",
        )
