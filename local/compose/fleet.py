"""The tasks that `local/compose.yaml`'s containers stand for: kept by the ECS emulator, told by events as by ECS."""

import json
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import boto3
from moto.ec2.utils import generate_instance_identity_document

from local.errors import LocalError
from local.task_events import TaskEvents

_CLUSTER: Final = "somleng-switch"
_IMAGE: Final = "ami-0123456789abcdef0"
_VERSION: Final = 3
"""Of a task that runs: ECS has told its provisioning and its start before."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the containers are in their network."""

    network: str
    """`172.30.77.0/24`."""
    client_gateway: str
    media_proxy: str


class Fleet:
    """One switch, one media proxy and one client gateway.

    Args:
        region: of the cluster.
        addresses: of the containers. The switch's is the emulator's own setting.

    """

    def __init__(self, region: str, addresses: Addresses) -> None:
        self._region, self._addresses = region, addresses
        self._ecs = boto3.client("ecs", region_name=region)
        self._ec2 = boto3.client("ec2", region_name=region)
        self._events = TaskEvents(boto3.client("events", region_name=region))

    def keep_tasks_running(self, ecs_url: str) -> None:
        """Have moto leave a task as it is when it is described; by itself it moves it on towards its end."""
        body = {"model_name": "ecs::task", "transition": {"progression": "manual", "times": 1_000_000}}
        request = urllib.request.Request(  # noqa: S310 - the emulator's
            f"{ecs_url}/moto-api/state-manager/set-transition",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310
            pass

    def announce(self) -> list[str]:
        """Have the tasks in the emulator, and tell EventBridge that they run; to be repeated at will.

        Returns:
            their ARNs.

        """
        tasks = self._tasks() or self._start()
        for task in tasks:
            self._events.put(task, version=_VERSION)
        return [str(task["taskArn"]) for task in tasks]

    def _tasks(self) -> list[Any]:
        if not self._ecs.describe_clusters(clusters=[_CLUSTER])["clusters"]:
            return []
        arns = self._ecs.list_tasks(cluster=_CLUSTER)["taskArns"]
        return list(self._ecs.describe_tasks(cluster=_CLUSTER, tasks=arns)["tasks"]) if arns else []

    def _start(self) -> list[Any]:
        self._ecs.put_account_setting(name="taskLongArnFormat", value="enabled")
        self._ecs.create_cluster(clusterName=_CLUSTER)
        vpc = self._ec2.create_vpc(CidrBlock=self._addresses.network)["Vpc"]["VpcId"]
        self._ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})  # moto's tasks need a name
        subnet = self._ec2.create_subnet(VpcId=vpc, CidrBlock=self._addresses.network)["Subnet"]["SubnetId"]
        group = self._ec2.create_security_group(GroupName=_CLUSTER, Description="switches", VpcId=vpc)["GroupId"]
        container: Any = [{"name": "main", "image": "none", "memory": 64}]
        self._ecs.register_task_definition(family="switch", networkMode="awsvpc", containerDefinitions=container)
        for family in ("media-proxy", "client-gateway"):
            self._ecs.register_task_definition(family=family, networkMode="host", containerDefinitions=container)

        self._instance(subnet, group, None)
        network: Any = {"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [group]}}
        started = self._ecs.run_task(
            cluster=_CLUSTER,
            taskDefinition="switch",
            group="service:switch",
            launchType="EC2",
            networkConfiguration=network,
        )["tasks"]
        for family, address in (
            ("media-proxy", self._addresses.media_proxy),
            ("client-gateway", self._addresses.client_gateway),
        ):
            instance = self._instance(subnet, group, address)
            started += self._ecs.start_task(
                cluster=_CLUSTER, taskDefinition=family, group=f"service:{family}", containerInstances=[instance]
            )["tasks"]
        return list(started)

    def _instance(self, subnet: str, group: str, address: str | None) -> str:
        """Register an instance with the cluster, at an address or at any; return its registration's ARN."""
        interface: Any = {"DeviceIndex": 0, "SubnetId": subnet, "Groups": [group]}
        if address is not None:
            interface["PrivateIpAddress"] = address
        made = self._ec2.run_instances(
            ImageId=_IMAGE, MinCount=1, MaxCount=1, InstanceType="t3.small", NetworkInterfaces=[interface]
        )["Instances"][0]
        resource = boto3.resource("ec2", region_name=self._region).Instance(made["InstanceId"])
        registered = self._ecs.register_container_instance(
            cluster=_CLUSTER, instanceIdentityDocument=json.dumps(generate_instance_identity_document(resource))
        )
        return str(registered["containerInstance"]["containerInstanceArn"])


def wait_for(what: str, seconds: float, is_there: Callable[[], bool]) -> None:
    """Wait until something is there.

    Raises:
        LocalError: naming it, when it is not in time.

    """
    deadline = time.monotonic() + seconds
    while not is_there():
        if time.monotonic() > deadline:
            raise LocalError(f"{what}: not there after {seconds:.0f} seconds")
        time.sleep(0.5)
