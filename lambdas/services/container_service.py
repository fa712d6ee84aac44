"""What the function asks ECS and EC2, in any region."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from lambdas.services.ecs_tasks import TaskState
from lambdas.services.errors import AddressNotFound

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ecs import ECSClient

_DESCRIBE_MAXIMUM = 100
"""Tasks or container instances in one describe request."""


@dataclass(frozen=True, slots=True)
class InstanceAddress:
    """The addresses of an EC2 instance; the public one is None in a private subnet."""

    private_ip: str
    public_ip: str | None


class RegionalClients(Protocol):
    """Makes clients of a region."""

    def ecs(self, region: str) -> "ECSClient":
        """ECS in `region`."""
        ...

    def ec2(self, region: str) -> "EC2Client":
        """EC2 in `region`."""
        ...


class ContainerService:
    """Questions to ECS and EC2."""

    def __init__(self, clients: RegionalClients) -> None:
        self._clients = clients

    def clusters(self, region: str) -> list[str]:
        """Return the ARNs of every cluster of a region."""
        pages = self._clients.ecs(region).get_paginator("list_clusters").paginate()
        return [arn for page in pages for arn in page["clusterArns"]]

    def running_tasks(self, region: str, cluster: str) -> list[TaskState]:
        """Return the tasks of a cluster that ECS wants running, each as it is now."""
        pages = self._clients.ecs(region).get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus="RUNNING")
        arns = [arn for page in pages for arn in page["taskArns"]]
        return self.describe_tasks(region, cluster, arns)

    def describe_tasks(self, region: str, cluster: str, task_arns: Sequence[str]) -> list[TaskState]:
        """Return those of the named tasks that ECS still knows; it forgets a task about an hour after its end.

        A cluster that is gone has no tasks.
        """
        ecs = self._clients.ecs(region)
        tasks: list[TaskState] = []
        for batch in _batches(task_arns):
            try:
                answer = ecs.describe_tasks(cluster=cluster, tasks=batch)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ClusterNotFoundException":
                    raise
                continue
            tasks += [TaskState.parse(task, region) for task in answer["tasks"]]
        return tasks

    def count_tasks(self, region: str, cluster: str, family: str) -> int:
        """Return how many tasks of a family ECS wants running in a cluster."""
        pages = (
            self._clients.ecs(region)
            .get_paginator("list_tasks")
            .paginate(cluster=cluster, family=family, desiredStatus="RUNNING")
        )
        return sum(len(page["taskArns"]) for page in pages)

    def instance_addresses(
        self, region: str, cluster: str, container_instance_arns: Sequence[str]
    ) -> dict[str, InstanceAddress]:
        """Return the addresses of container instances by their ARN; those that are gone are left out."""
        instance_ids: dict[str, str] = {}
        for batch in _batches(container_instance_arns):
            answer = self._clients.ecs(region).describe_container_instances(cluster=cluster, containerInstances=batch)
            for instance in answer["containerInstances"]:
                if "ec2InstanceId" in instance:
                    instance_ids[instance["ec2InstanceId"]] = instance["containerInstanceArn"]
        addresses: dict[str, InstanceAddress] = {}
        for batch in _batches(instance_ids):
            addresses |= self._describe_instances(region, batch)
        return {instance_ids[instance_id]: address for instance_id, address in addresses.items()}

    def address_of(self, task: TaskState) -> InstanceAddress:
        """Return the addresses of the instance that a task runs on.

        Raises:
            AddressNotFound: when the task names no instance, or ECS or EC2 no longer knows it.

        """
        arn = task.container_instance_arn
        if arn is None:
            raise AddressNotFound(f"task {task.stamp.arn} names no container instance")
        address = self.instance_addresses(task.region, task.cluster_arn, [arn]).get(arn)
        if address is None:
            raise AddressNotFound(f"container instance {arn} of task {task.stamp.arn} has no address that EC2 knows")
        return address

    def _describe_instances(self, region: str, instance_ids: list[str]) -> dict[str, InstanceAddress]:
        # A filter, unlike InstanceIds, leaves out an unknown instance instead of failing the whole request.
        pages = (
            self._clients.ec2(region)
            .get_paginator("describe_instances")
            .paginate(Filters=[{"Name": "instance-id", "Values": instance_ids}])
        )
        return {
            instance["InstanceId"]: InstanceAddress(instance["PrivateIpAddress"], instance.get("PublicIpAddress"))
            for page in pages
            for reservation in page["Reservations"]
            for instance in reservation["Instances"]
            if instance.get("PrivateIpAddress")
        }


def _batches(values: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(values)
    while batch := list(islice(iterator, _DESCRIBE_MAXIMUM)):
        yield batch
