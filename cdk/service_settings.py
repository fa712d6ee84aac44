"""What a deployment chooses for its ECS services: where they run, on what, how many, behind which ports.

Each class is a group of `cdk.settings.Settings`; the camel-case name of the group stands before each key.
"""

import re
from dataclasses import dataclass

from cdk import limits
from cdk.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Ecs:
    """ECS names: of the clusters whose tasks are followed, and of each service and the cluster that is its own.

    Clusters have the same names in every region. Each service has one to itself, because the capacity providers of a
    cluster are one list, which only one stack can own. `cluster_names` may name more than the services': one whose
    tasks are to go, or to come.
    """

    cluster_names: tuple[str, ...]
    switch_cluster: str
    public_gateway_cluster: str
    client_gateway_cluster: str
    media_proxy_cluster: str
    switch_service: str
    public_gateway_service: str
    client_gateway_service: str
    media_proxy_service: str

    def __post_init__(self) -> None:
        for name in self.cluster_names:
            limits.matches("ecsClusterNames", name, limits.ECS_NAME, "names of ECS clusters, not ARNs")
        clusters = {
            "ecsSwitchCluster": self.switch_cluster,
            "ecsPublicGatewayCluster": self.public_gateway_cluster,
            "ecsClientGatewayCluster": self.client_gateway_cluster,
            "ecsMediaProxyCluster": self.media_proxy_cluster,
        }
        for key, name in clusters.items():
            limits.matches(key, name, limits.ECS_NAME, "the name of an ECS cluster, not its ARN")
            if name not in self.cluster_names:
                raise SettingsError(key, f"must be one of 'ecsClusterNames', not '{name}'")
        services = {
            "ecsSwitchService": self.switch_service,
            "ecsPublicGatewayService": self.public_gateway_service,
            "ecsClientGatewayService": self.client_gateway_service,
            "ecsMediaProxyService": self.media_proxy_service,
        }
        for key, name in services.items():
            limits.matches(key, name, limits.ECS_NAME, "the name of an ECS service, not its ARN")
        what = "name: switch, public gateway, client gateway, media proxy"
        limits.distinct("ecsSwitchService", list(services.values()), what)


@dataclass(frozen=True, slots=True)
class Image:
    """Which containers' images are run: those of a tag, in the repositories `<repository_prefix>/<name>`."""

    tag: str
    repository_prefix: str

    def __post_init__(self) -> None:
        limits.matches("imageTag", self.tag, r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", "the tag of an image")
        prefix, meaning = self.repository_prefix, "the first part of a repository's name"
        limits.matches("imageRepositoryPrefix", prefix, r"[a-z0-9]+([._-][a-z0-9]+)*", meaning)


@dataclass(frozen=True, slots=True)
class Tasks:
    """How many tasks of a service there are, and the machine that each has to itself.

    Attributes:
        cpu_units: of the task, 1024 a processor: all of the machine's, so that 100 % is the whole machine.
        memory_megabytes: of the task: the machine's less some 512, which the system and the ECS agent need.
        minimum: number of tasks at least.
        maximum: and at most.
        instance_type: EC2's name of the machine, which fits the deployment's `architecture`; without it, that
            architecture's smallest with two processors and 2 GiB (`machine`).

    """

    cpu_units: int
    memory_megabytes: int
    minimum: int
    maximum: int
    instance_type: str | None = None

    def machine(self, architecture: str) -> str:
        """Return the instance type for an architecture, `arm64` or `x86_64`."""
        return self.instance_type or {"arm64": "t4g.small", "x86_64": "t3.small"}[architecture]

    def check(self, prefix: str, machine: str | None) -> None:
        """Check the values; `prefix` stands before the keys, `machine` is `arm64`, `x86_64` or not known."""
        if self.instance_type is not None:
            key = f"{prefix}InstanceType"
            limits.matches(key, self.instance_type, limits.INSTANCE_TYPE, "the name of an EC2 instance type")
            fits = "arm64" if _is_graviton(self.instance_type) else "x86_64"
            if machine not in (None, fits):
                raise SettingsError(key, f"must be of architecture {machine}; '{self.instance_type}' is {fits}")
        limits.within(f"{prefix}CpuUnits", self.cpu_units, 128, 196_608)
        limits.within(f"{prefix}MemoryMegabytes", self.memory_megabytes, 256, 786_432)
        limits.within(f"{prefix}Minimum", self.minimum, 0, 1000)
        limits.within(f"{prefix}Maximum", self.maximum, max(1, self.minimum), 1000)


def _is_graviton(instance_type: str) -> bool:
    """Whether EC2's name says so: a `g` right after the generation (`t4g`, `c7gn`), and the first of all, `a1`."""
    return re.match(r"a1\.|[a-z]+\d+g", instance_type) is not None


@dataclass(frozen=True, slots=True)
class Switch:
    """Ports of a switch, and what it bears.

    Attributes:
        sip_port: SIP.
        sip_alternative_port: SIP, for carriers that need another address in the SDP; the next one is taken, too.
        event_socket_port: FreeSWITCH's event socket.
        maximum_sessions: channels of a task at a time; further calls are refused, and the gateway tries another.
        target_sessions: channels a task on average that the number of tasks is kept at.
        target_cpu_percent: the same for the processors.

    """

    sip_port: int
    sip_alternative_port: int
    event_socket_port: int
    maximum_sessions: int
    target_sessions: int
    target_cpu_percent: int

    def __post_init__(self) -> None:
        limits.port("switchSipPort", self.sip_port)
        limits.port("switchSipAlternativePort", self.sip_alternative_port)
        limits.port("switchEventSocketPort", self.event_socket_port)
        uac = self.sip_alternative_port + 1
        ports = [self.sip_port, self.sip_alternative_port, uac, self.event_socket_port]
        limits.distinct("switchSipPort", ports, "number: SIP, the alternative and the one after it, the event socket")
        limits.within("switchMaximumSessions", self.maximum_sessions, 1, 100_000)
        limits.within("switchTargetSessions", self.target_sessions, 1, self.maximum_sessions)
        limits.within("switchTargetCpuPercent", self.target_cpu_percent, 1, 100)


@dataclass(frozen=True, slots=True)
class PublicGateway:
    """Ports that carriers call, whether by AWS's Global Accelerator, and the load that tasks are added at."""

    sip_port: int
    sip_alternative_port: int
    global_accelerator: bool
    target_cpu_percent: int

    def __post_init__(self) -> None:
        limits.port("publicGatewaySipPort", self.sip_port)
        limits.port("publicGatewaySipAlternativePort", self.sip_alternative_port)
        limits.distinct("publicGatewaySipPort", [self.sip_port, self.sip_alternative_port], "number: SIP, alternative")
        limits.within("publicGatewayTargetCpuPercent", self.target_cpu_percent, 1, 100)


@dataclass(frozen=True, slots=True)
class ClientGateway:
    """The port that SIP clients register at, their realm, and the domain name that leads them there.

    Attributes:
        sip_port: SIP, UDP and TCP.
        realm: what clients' passwords are digested with.
        target_cpu_percent: load that tasks are added at.
        domain: name that clients register at, such as `sip.example.org`. Without one no record and no domain is made.
        hosted_zone_id: Route 53's zone that the name is in.
        hosted_zone_name: its name, such as `example.org`.

    """

    sip_port: int
    realm: str
    target_cpu_percent: int
    domain: str | None = None
    hosted_zone_id: str | None = None
    hosted_zone_name: str | None = None

    def __post_init__(self) -> None:
        limits.port("clientGatewaySipPort", self.sip_port)
        limits.matches("clientGatewayRealm", self.realm, limits.HOST_NAME, "a domain name")
        limits.within("clientGatewayTargetCpuPercent", self.target_cpu_percent, 1, 100)
        named = {"Domain": self.domain, "HostedZoneId": self.hosted_zone_id, "HostedZoneName": self.hosted_zone_name}
        missing = [key for key, value in named.items() if value is None]
        if missing and len(missing) < len(named):
            raise SettingsError(f"clientGateway{missing[0]}", "is missing: domain and hosted zone go together")
        if self.domain is None or self.hosted_zone_id is None or self.hosted_zone_name is None:
            return
        limits.matches("clientGatewayDomain", self.domain, limits.HOST_NAME, "a domain name")
        limits.matches("clientGatewayHostedZoneId", self.hosted_zone_id, r"Z[A-Z0-9]{5,31}", "the id of a hosted zone")
        limits.matches("clientGatewayHostedZoneName", self.hosted_zone_name, limits.HOST_NAME, "a domain name")
        if not f".{self.domain}".endswith(f".{self.hosted_zone_name}"):
            raise SettingsError("clientGatewayDomain", f"must be in the zone '{self.hosted_zone_name}'")


@dataclass(frozen=True, slots=True)
class MediaProxy:
    """rtpengine's ports: of its control protocol, and the first and last of media; and the load to add tasks at."""

    ng_port: int
    port_minimum: int
    port_maximum: int
    target_cpu_percent: int

    def __post_init__(self) -> None:
        limits.port("mediaProxyNgPort", self.ng_port)
        limits.port("mediaProxyPortMinimum", self.port_minimum)
        limits.within("mediaProxyPortMaximum", self.port_maximum, self.port_minimum + 3, 65_535)
        limits.within("mediaProxyTargetCpuPercent", self.target_cpu_percent, 1, 100)
