"""Elastic IPs that the instances of a service give themselves when they start."""

from pathlib import Path

from aws_cdk import CfnTag, RemovalPolicy, Stack, Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.constructs.capacity import Capacity
from cdk.nag import acknowledge, as_reported
from cdk.settings import Settings

_SCRIPT = Path(__file__).resolve().parents[1] / "instances" / "assign_elastic_ip.sh"
_SERVICE_TAG = "service"
_PRIORITY_TAG = "priority"


def assign_commands(*, service: str, region: str) -> list[str]:
    """Return the commands of user data that give an instance its Elastic IP; they fail when there is none."""
    path = "/usr/local/bin/assign-elastic-ip"
    script = _SCRIPT.read_text().splitlines()
    return [f"cat > {path} << 'ASSIGN'", *script, "ASSIGN", f"bash {path} {service} {region}"]


class ServiceAddresses(Construct):
    """As many Elastic IPs as the service can have instances, and the instances' right to take a free one.

    Attributes:
        addresses: the Elastic IPs, in the order that they are taken in.

    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, service: str, count: int) -> None:
        super().__init__(scope, construct_id)
        self._service = service
        self._keep = settings.protect_data
        self.addresses = [self._elastic_ip(number) for number in range(1, count + 1)]

    def grant_assignment(self, capacity: Capacity) -> None:
        """Let the service's instances, and them alone, associate the service's Elastic IPs, and no other."""
        Tags.of(capacity.group).add(_SERVICE_TAG, self._service)
        stack = Stack.of(self)
        tagged = {"StringEquals": {f"aws:ResourceTag/{_SERVICE_TAG}": self._service}}
        bound = [
            stack.format_arn(service="ec2", resource=kind, resource_name="*") for kind in ("elastic-ip", "instance")
        ]
        capacity.role.add_to_policy(
            iam.PolicyStatement(
                sid="FindElasticIps",
                actions=["ec2:DescribeAddresses"],
                resources=["*"],
                conditions={"StringEquals": {"aws:RequestedRegion": stack.region}},
            )
        )
        capacity.role.add_to_policy(
            iam.PolicyStatement(
                sid="TakeElasticIp", actions=["ec2:AssociateAddress"], resources=bound, conditions=tagged
            )
        )
        acknowledge(
            capacity.role,
            "AwsSolutions-IAM5[Resource::*]",
            "ec2:DescribeAddresses has no resource level, and is restricted to the region by condition.",
        )
        for arn in bound:
            acknowledge(
                capacity.role,
                f"AwsSolutions-IAM5[Resource::{as_reported(arn)}]",
                "EC2 makes the ids of instances as they start; a condition restricts both to the service's tag.",
            )

    def _elastic_ip(self, number: int) -> ec2.CfnEIP:
        address = ec2.CfnEIP(
            self,
            f"ElasticIp{number}",
            domain="vpc",
            tags=[
                CfnTag(key="Name", value=f"{self._service}-{number}"),
                CfnTag(key=_SERVICE_TAG, value=self._service),
                CfnTag(key=_PRIORITY_TAG, value=str(number)),
            ],
        )
        # Clients' firewalls and the name's records know it: it must outlive whatever happens to the stack.
        address.apply_removal_policy(RemovalPolicy.RETAIN if self._keep else RemovalPolicy.DESTROY)
        return address
