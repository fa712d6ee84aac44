"""Runs tasks in an emulated ECS cluster, on emulated instances."""

import json
from dataclasses import dataclass
from typing import Any

import boto3
from moto.ec2.utils import generate_instance_identity_document


@dataclass(frozen=True)
class Instance:
    """An EC2 instance that is registered with a cluster."""

    instance_id: str
    container_instance_arn: str
    private_ip: str
    public_ip: str | None


class Cluster:
    """A cluster with task definitions `switch` (own interfaces), `media-proxy` and `client-gateway` (host network).

    Args:
        region: where it is.
        name: its own.
        network: where its tasks and instances get their addresses.

    """

    def __init__(self, region: str, name: str = "somleng-switch", network: str = "10.0.0.0/20") -> None:
        self.region, self.name = region, name
        self.ecs = boto3.client("ecs", region_name=region)
        self.ec2 = boto3.client("ec2", region_name=region)
        self.ecs.put_account_setting(name="taskLongArnFormat", value="enabled")
        self.ecs.create_cluster(clusterName=name)
        container: Any = [{"name": "main", "image": "none", "memory": 64}]
        self.ecs.register_task_definition(family="switch", networkMode="awsvpc", containerDefinitions=container)
        for family in ("media-proxy", "client-gateway"):
            self.ecs.register_task_definition(family=family, networkMode="host", containerDefinitions=container)
        vpc = self.ec2.create_vpc(CidrBlock=network)["Vpc"]["VpcId"]
        self.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})  # moto's tasks need a name
        self.subnet = self.ec2.create_subnet(VpcId=vpc, CidrBlock=network)["Subnet"]["SubnetId"]
        self.security_group = self.ec2.create_security_group(GroupName=name, Description="x", VpcId=vpc)["GroupId"]

    def add_subnet(self, network: str) -> str:
        """Have the cluster's VPC reach another network too, and return its subnet."""
        vpc = self.ec2.describe_subnets(SubnetIds=[self.subnet])["Subnets"][0]["VpcId"]
        self.ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock=network)
        return str(self.ec2.create_subnet(VpcId=vpc, CidrBlock=network)["Subnet"]["SubnetId"])

    def add_instance(self, *, public: bool = False, address: str | None = None, subnet: str | None = None) -> Instance:
        """Start an instance, with a private address of one's choice if one has any."""
        interface: Any = {
            "DeviceIndex": 0,
            "SubnetId": subnet or self.subnet,
            "AssociatePublicIpAddress": public,
            "Groups": [self.security_group],
            **({"PrivateIpAddress": address} if address else {}),
        }
        instance = self.ec2.run_instances(
            ImageId="ami-0123456789abcdef0",
            MinCount=1,
            MaxCount=1,
            InstanceType="t3.small",
            NetworkInterfaces=[interface],
        )["Instances"][0]
        resource = boto3.resource("ec2", region_name=self.region).Instance(instance["InstanceId"])
        registered = self.ecs.register_container_instance(
            cluster=self.name, instanceIdentityDocument=json.dumps(generate_instance_identity_document(resource))
        )
        return Instance(
            instance["InstanceId"],
            registered["containerInstance"]["containerInstanceArn"],
            resource.private_ip_address,
            resource.public_ip_address,
        )

    def run(self, family: str, group: str | None = None, on: Instance | None = None) -> dict[str, Any]:
        """Run one task, on some instance if not on a given one, and return it as ECS describes it."""
        group = group or f"service:{family}"
        if on is not None:
            started: Any = self.ecs.start_task(
                cluster=self.name, taskDefinition=family, group=group, containerInstances=[on.container_instance_arn]
            )["tasks"][0]
            return dict(started)
        network: Any = {"awsvpcConfiguration": {"subnets": [self.subnet], "securityGroups": [self.security_group]}}
        task: Any = self.ecs.run_task(
            cluster=self.name,
            taskDefinition=family,
            launchType="EC2",
            group=group,
            **({"networkConfiguration": network} if family == "switch" else {}),
        )["tasks"][0]
        return dict(task)

    def stop(self, task: dict[str, Any]) -> None:
        self.ecs.stop_task(cluster=self.name, task=task["taskArn"])


def interface_ip(task: dict[str, Any]) -> str:
    """Return the address of a task's own interface."""
    details = task["attachments"][0]["details"]
    return str(next(detail["value"] for detail in details if detail["name"] == "privateIPv4Address"))
