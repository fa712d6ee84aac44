"""An ECS service as dashboards and alarms see it."""

from dataclasses import dataclass

from cdk.constructs.capacity import Capacity
from cdk.service_settings import Tasks


@dataclass(frozen=True, slots=True)
class ServiceView:
    """What metrics of a service are found by.

    Attributes:
        title: what an operator calls it.
        name: the beginning of its alarms' names.
        cluster: ECS's name of its cluster.
        service: ECS's name of it; the dimension of its programs' metrics.
        tasks: how many there are to be.
        capacity: its instances.

    """

    title: str
    name: str
    cluster: str
    service: str
    tasks: Tasks
    capacity: Capacity

    @property
    def group(self) -> str:
        """Name of the auto scaling group."""
        return self.capacity.group.auto_scaling_group_name

    @property
    def is_always_there(self) -> bool:
        """Whether there is a task at any time, so that it is a fault when nobody tells anything."""
        return self.tasks.minimum > 0
