"""What a container of a task is, in the words of a bill of materials."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aws_cdk import aws_ecs as ecs

from cdk.images import ImageName


def udp(number: int) -> ecs.PortMapping:
    """Return a UDP port; in the awsvpc and host network modes it is the same inside and outside."""
    return ecs.PortMapping(container_port=number, host_port=number, protocol=ecs.Protocol.UDP)


def tcp(number: int) -> ecs.PortMapping:
    """Return a TCP port."""
    return ecs.PortMapping(container_port=number, host_port=number, protocol=ecs.Protocol.TCP)


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a task. If one ends, the task does.

    Attributes:
        name: its name in the task.
        image: its image.
        health_check: command that ends with 0 while the container is healthy: the image's own, which ECS does not read.
        environment: settings that are no secret.
        secrets: settings that ECS reads from Secrets Manager when the task starts.
        ports: ports that others reach (`udp(5060)`); what is not listed works all the same in awsvpc and host network
            modes. A load balancer's must be here.
        mounts: the name of a volume of the task by the path that it is mounted at.
        starts_after: names of the containers that must be healthy before this one starts; it is told to stop before
            them, and ends first.
        starts_beside: names of the containers that must have been started before this one, healthy or not: for one
            whose health depends on this one. It is told to stop before them, too.
        start_seconds: how long the health check may fail at the start.
        stop_seconds: from SIGTERM to SIGKILL; more than the container's own limit for draining.
        open_files: how many files and sockets it may have open.
        read_only_root: whether it can write to its mounts and `/dev/shm` alone.

    """

    name: str
    image: ImageName
    health_check: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, ecs.Secret] = field(default_factory=dict)
    ports: tuple[ecs.PortMapping, ...] = ()
    mounts: Mapping[str, str] = field(default_factory=dict)
    starts_after: tuple[str, ...] = ()
    starts_beside: tuple[str, ...] = ()
    start_seconds: int = 120
    stop_seconds: int = 30
    open_files: int = 65_536
    read_only_root: bool = False
