"""Which rows a task of each kind is worth."""

from dataclasses import dataclass

from lambdas.services.ecs_tasks import TaskState
from lambdas.services.settings import Settings
from routing import Domain, LoadBalancerTarget, MediaProxy, Table

PROBE_ALWAYS = 2
"""OpenSIPS's probing mode that sends OPTIONS to a target all the time."""

DEFAULT_PROXY_SET = 0

TaskRecord = LoadBalancerTarget | Domain | MediaProxy


@dataclass(frozen=True, slots=True)
class TaskAddress:
    """Where a task is reached; what is not known is None."""

    private_ip: str | None
    public_ip: str | None = None


class TaskRows:
    """Turns tasks into rows.

    Args:
        settings: groups, ports and regions.

    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tables = {
            settings.switch_group: Table.LOAD_BALANCER_TARGETS,
            settings.media_proxy_group: Table.MEDIA_PROXIES,
            settings.client_gateway_group: Table.DOMAINS,
        }

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that hold rows of tasks."""
        return tuple(self._tables.values())

    def table(self, task: TaskState) -> Table | None:
        """Return the table that tasks of this group have rows in, None for a group that is none of ours."""
        return self._tables.get(task.group)

    def is_switch(self, task: TaskState) -> bool:
        """Tell whether a task is a switch."""
        return task.group == self._settings.switch_group

    def is_reachable(self, task: TaskState) -> bool:
        """Tell whether a running task can be given traffic: a switch only by its own attached interface."""
        interface = task.network_interface
        return not self.is_switch(task) or (interface is not None and interface.is_attached)

    def needs_instance(self, task: TaskState) -> bool:
        """Tell whether the address of the task's instance is needed.

        A client gateway's clients come to the instance's public address, whatever interface the task has.
        """
        if self.is_switch(task):
            return False
        return task.group == self._settings.client_gateway_group or _interface_ip(task) is None

    def records(self, task: TaskState, address: TaskAddress) -> list[TaskRecord]:
        """Return the rows of a task that is reached at `address`, its own interface going before the instance's."""
        private_ip = _interface_ip(task) or address.private_ip
        if self.is_switch(task):
            return [] if private_ip is None else self._targets(task, private_ip)
        if task.group == self._settings.media_proxy_group:
            if private_ip is None:
                return []
            socket = f"udp:{private_ip}:{self._settings.media_proxy_ng_port}"
            return [MediaProxy(socket, DEFAULT_PROXY_SET, task.stamp)]
        return [Domain(ip, task.stamp) for ip in (private_ip, address.public_ip) if ip is not None]

    def _targets(self, task: TaskState, ip: str) -> list[TaskRecord]:
        ports = self._settings.switch_ports
        region = self._settings.regions[task.region]
        return [
            LoadBalancerTarget(
                dst_uri=f"sip:{ip}:{port}",
                group_id=region.group_id,
                resource=resource,
                event_socket=f"{ip}:{ports.event_socket}",
                probe_mode=PROBE_ALWAYS,
                region=region.identifier,
                task=task.stamp,
            )
            for resource, port in (("gw", ports.sip), ("gwalt", ports.sip_alternative))
        ]


def _interface_ip(task: TaskState) -> str | None:
    return None if task.network_interface is None else task.network_interface.private_ip
