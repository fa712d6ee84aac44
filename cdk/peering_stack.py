"""Joins the networks of all regions to that of the home region."""

from collections.abc import Mapping

from aws_cdk import Environment, Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk.network_stack import NetworkStack
from cdk.settings import Region, Settings


class PeeringRequestStack(Stack):
    """In a region that is not the home region: the connection to the home network, and the routes to it.

    Gateways reach switches of other regions by their private addresses, and so do the media proxies, both ways. Only
    the home network is joined: regions have nothing to say to each other.

    The home network is known by references across regions, which the CDK carries with a function of its own while the
    stacks are deployed; a network's id cannot be chosen.

    Attributes:
        connection: id of the connection.

    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        region: Region,
        network: NetworkStack,
        home: NetworkStack,
    ) -> None:
        """Join the network of a region to the home network."""
        super().__init__(
            scope,
            construct_id,
            env=Environment(region=region.identifier),
            cross_region_references=True,
            description=f"SomlengSWITCH ({settings.environment}): connection of {region.alias} to the home network",
        )
        # Both networks are of one account, so CloudFormation accepts what it asks for.
        connection = ec2.CfnVPCPeeringConnection(
            self,
            "Connection",
            vpc_id=network.vpc.vpc_id,
            peer_vpc_id=home.vpc.vpc_id,
            peer_region=settings.home_region,
        )
        self.connection = connection.attr_id
        _route(self, "ToHome", network, home.cidr, self.connection)


class PeeringStack(Stack):
    """In the home region: the routes to the networks of the others."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        network: NetworkStack,
        connections: Mapping[str, str],
    ) -> None:
        """Route to each region; `connections` are the connections' ids by region."""
        super().__init__(
            scope,
            construct_id,
            env=Environment(region=settings.home_region),
            cross_region_references=True,
            description=f"SomlengSWITCH ({settings.environment}): routes to the networks of other regions",
        )
        for region, connection in connections.items():
            words = "".join(part.title() for part in region.split("-"))
            _route(self, f"To{words}", network, settings.network(region).cidr, connection)


def _route(stack: Stack, construct_id: str, network: NetworkStack, cidr: str, connection: str) -> None:
    """Route what is for another network by a connection, from every subnet."""
    subnets = (*network.vpc.public_subnets, *network.vpc.private_subnets)
    for number, subnet in enumerate(subnets, start=1):
        ec2.CfnRoute(
            stack,
            f"{construct_id}{number}",
            route_table_id=subnet.route_table.route_table_id,
            destination_cidr_block=cidr,
            vpc_peering_connection_id=connection,
        )
