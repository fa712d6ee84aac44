"""What a deployment chooses for its networks."""

import re
from dataclasses import dataclass
from ipaddress import ip_network

from cdk import limits
from cdk.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Network:
    """The network of one region.

    Attributes:
        region: which one.
        cidr: IPv4 network of its VPC, /16 to /22. Those of all regions differ, since they are joined.
        nat_allocation_id: allocation of an Elastic IP that carriers know already, whose address is the region's
            `nat_ip`; without one the network stack allocates an address and keeps it.
        certificate_arn: certificate, in that region, for the switches' load balancer; without one it speaks HTTP.

    """

    region: str
    cidr: str
    nat_allocation_id: str | None = None
    certificate_arn: str | None = None

    def check(self, key: str) -> None:
        """Check the values; `key` says in an error which network it is."""
        try:
            prefix = ip_network(self.cidr).prefixlen
        except ValueError as error:
            raise SettingsError(f"{key}.cidr", f"must be an IP network, not '{self.cidr}'") from error
        limits.within(f"{key}.cidr", prefix, 16, 22)
        if self.nat_allocation_id is not None:
            meaning = "the allocation of an Elastic IP"
            limits.matches(f"{key}.nat_allocation_id", self.nat_allocation_id, r"eipalloc-[0-9a-f]{8,17}", meaning)
        if self.certificate_arn is not None:
            pattern = rf"arn:aws[a-z-]*:acm:{re.escape(self.region)}:\d{{12}}:certificate/[0-9a-f-]+"
            limits.matches(f"{key}.certificate_arn", self.certificate_arn, pattern, f"a certificate in {self.region}")


@dataclass(frozen=True, slots=True)
class Vpc:
    """What is the same in the network of every region.

    Attributes:
        interface_endpoints: names of AWS services (`ssm`, `secretsmanager`) that are reached without the NAT gateway,
            besides ECR and CloudWatch Logs, S3 and DynamoDB. Each costs by the hour and zone.

    """

    interface_endpoints: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name in self.interface_endpoints or ():
            limits.matches("vpcInterfaceEndpoints", name, r"[a-z0-9]+([.-][a-z0-9]+)*", "names of AWS services")
