"""What differs between deployments: typed, read from the context of `cdk.json`, checked before anything is built.

`cdk.json` holds one object a deployment environment (`local`, `staging`, `production`) and one, `common`, that they
share, under `settings`. Which one is built says the context key `environment`; it stands on `staging` there, so
that only who names production touches it:

    cdk deploy --all -c environment=production

Every key is the camel-case name of a field below, with the name of its group before it: field `host` of group
`call_platform` is `callPlatformHost`. A context key of that name overrides `cdk.json`, so that a single value can be
given on the command line (a number as digits, a list with commas, `regions` as JSON):

    cdk deploy --all -c environment=local -c callPlatformHost=http://127.0.0.1:8080

A missing, wrong or unknown key fails the synthesis with a `SettingsError` that names it. How the keys are read is in
`cdk/context.py`.
"""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_network
from itertools import combinations

from cdk import limits
from cdk.alarm_settings import AlarmThresholds
from cdk.errors import SettingsError
from cdk.function_settings import Events, FunctionSize, Queue
from cdk.network_settings import Network, Vpc
from cdk.service_settings import ClientGateway, Ecs, Image, MediaProxy, PublicGateway, Switch, Tasks


class Environment(StrEnum):
    """A deployment of the system. `local` is the emulator on a developer's machine."""

    LOCAL = "local"
    STAGING = "staging"
    PRODUCTION = "production"


class Architecture(StrEnum):
    """The machine that functions and containers run on.

    `host` is the one that runs the CDK, with its Python, as the emulator does.
    """

    ARM64 = "arm64"
    X86_64 = "x86_64"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class Region:
    """A region that switches run in, as the platform knows it (the shape of `REGION_DATA`)."""

    identifier: str
    alias: str
    group_id: int
    human_name: str
    nat_ip: str


@dataclass(frozen=True, slots=True)
class CallPlatform:
    """The platform's services API, and the networks that the platform reaches the switches from.

    Attributes:
        host: base URL.
        username: basic-auth user.
        password_parameter: name of the SSM SecureString, in the home region, with the password.
        networks: IPv4 networks, besides our own, whose machines may reach the switches' HTTP API.

    """

    host: str
    username: str
    password_parameter: str
    networks: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        # A user or a password in the URL would end in the template.
        limits.matches("callPlatformHost", self.host, r"https?://[^/@\s]+", "http(s)://host[:port]")
        parameter, meaning = self.password_parameter, "the name of an SSM parameter"
        limits.matches("callPlatformPasswordParameter", parameter, limits.PARAMETER_NAME, meaning)
        for network in self.networks or ():
            limits.network("callPlatformNetworks", network)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a deployment can choose.

    `home_region` is where the stacks are deployed: the control plane and the gateways have one home, switches run in
    every one of `regions`, each with a network of its own in `networks`. `protect_data` keeps tables and recordings
    when a stack is deleted and refuses their deletion.
    """

    environment: Environment
    home_region: str
    regions: tuple[Region, ...]
    networks: tuple[Network, ...]
    architecture: Architecture
    protect_data: bool
    log_level: str
    log_retention_days: int
    access_log_retention_days: int
    recording_retention_days: int
    reconcile_interval_minutes: int
    ecs: Ecs
    image: Image
    switch: Switch
    switch_tasks: Tasks
    public_gateway: PublicGateway
    public_gateway_tasks: Tasks
    client_gateway: ClientGateway
    client_gateway_tasks: Tasks
    media_proxy: MediaProxy
    media_proxy_tasks: Tasks
    vpc: Vpc
    call_platform: CallPlatform
    services: FunctionSize
    s3_mpeg: FunctionSize
    mp3_bit_rate: str
    queue: Queue
    events: Events
    alarm_at: AlarmThresholds
    recordings_bucket_name: str | None = None
    alarm_email: str | None = None

    def __post_init__(self) -> None:
        self._check_regions()
        self._check_networks()
        self._check_tasks()
        self._check_functions()
        self._check_queue()
        if not self.is_local and not self.call_platform.host.startswith("https://"):
            raise SettingsError("callPlatformHost", "must be https outside the local environment")
        limits.one_of("logLevel", self.log_level, limits.LOG_LEVELS)
        limits.one_of("logRetentionDays", self.log_retention_days, limits.RETENTIONS)
        limits.within("accessLogRetentionDays", self.access_log_retention_days, 1, 3653)
        limits.within("recordingRetentionDays", self.recording_retention_days, 1, 3653)
        limits.within("reconcileIntervalMinutes", self.reconcile_interval_minutes, 1, 1440)
        limits.bit_rate("mp3BitRate", self.mp3_bit_rate)
        if self.recordings_bucket_name is not None:
            name = self.recordings_bucket_name
            limits.matches("recordingsBucketName", name, limits.BUCKET_NAME, "the name of an S3 bucket")
        if self.alarm_email is not None:
            limits.matches("alarmEmail", self.alarm_email, r"[^@\s]+@[^@\s]+", "an e-mail address")

    @property
    def is_local(self) -> bool:
        """Whether this is the emulator, where data is throw-away and events cannot come from AWS itself."""
        return self.environment is Environment.LOCAL

    @property
    def home(self) -> Region:
        """The home region."""
        return next(region for region in self.regions if region.identifier == self.home_region)

    @property
    def other_regions(self) -> tuple[Region, ...]:
        """The regions that only switches run in; none on the emulator, which is one region."""
        if self.is_local:
            return ()
        return tuple(region for region in self.regions if region.identifier != self.home_region)

    def network(self, region: str) -> Network:
        """Return the network of a region."""
        return next(network for network in self.networks if network.region == region)

    def _check_networks(self) -> None:
        for index, network in enumerate(self.networks):
            network.check(f"networks[{index}]")
        limits.distinct("networks", [network.region for network in self.networks], "'region'")
        ranges = [ip_network(network.cidr) for network in self.networks]
        if any(one.overlaps(other) for one, other in combinations(ranges, 2)):
            raise SettingsError("networks", "must not overlap: they are joined")
        if {network.region for network in self.networks} != {region.identifier for region in self.regions}:
            raise SettingsError("networks", "must be one for each of 'regions'")

    def _check_tasks(self) -> None:
        if not self.is_local:
            if self.architecture is Architecture.HOST:
                raise SettingsError("architecture", "must be arm64 or x86_64 outside the local environment")
            ecs = self.ecs
            own = [ecs.switch_cluster, ecs.public_gateway_cluster, ecs.client_gateway_cluster, ecs.media_proxy_cluster]
            limits.distinct("ecsSwitchCluster", own, "name: each service has a cluster to itself")
        machine = None if self.architecture is Architecture.HOST else self.architecture.value
        self.switch_tasks.check("switchTasks", machine)
        self.public_gateway_tasks.check("publicGatewayTasks", machine)
        self.client_gateway_tasks.check("clientGatewayTasks", machine)
        self.media_proxy_tasks.check("mediaProxyTasks", machine)

    def _check_regions(self) -> None:
        for index, region in enumerate(self.regions):
            key = f"regions[{index}]"
            limits.matches(f"{key}.identifier", region.identifier, limits.REGION_NAME, "the name of an AWS region")
            limits.address(f"{key}.nat_ip", region.nat_ip)
        for name in ("identifier", "alias", "group_id"):
            limits.distinct("regions", [getattr(region, name) for region in self.regions], f"'{name}'")
        if self.home_region not in [region.identifier for region in self.regions]:
            raise SettingsError("homeRegion", f"must be one of 'regions', not '{self.home_region}'")

    def _check_functions(self) -> None:
        for prefix, size in (("services", self.services), ("s3Mpeg", self.s3_mpeg)):
            limits.within(f"{prefix}MemoryMegabytes", size.memory_megabytes, 128, 10_240)
            limits.within(f"{prefix}TimeoutSeconds", size.timeout_seconds, 1, 900)
            if size.reserved_concurrency is not None:
                limits.within(f"{prefix}ReservedConcurrency", size.reserved_concurrency, 1, 1000)
        reserved = self.services.reserved_concurrency
        # With less, the queue's poller would be throttled, and a throttled receive counts towards the dead letters.
        if reserved is not None and reserved < self.queue.max_concurrency:
            raise SettingsError("servicesReservedConcurrency", "must be at least queueMaxConcurrency")

    def _check_queue(self) -> None:
        # AWS asks for six times the function's time limit, so that a batch that is throttled and tried again is not
        # received a second time meanwhile. Locally nothing throttles, and a dead letter should be seen within seconds.
        factor = 1 if self.is_local else 6
        if self.queue.visibility_seconds < factor * self.services.timeout_seconds:
            raise SettingsError("queueVisibilitySeconds", f"must be at least {factor} x servicesTimeoutSeconds")
