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

from cdk import limits
from cdk.errors import SettingsError


class Environment(StrEnum):
    """A deployment of the system. `local` is the emulator on a developer's machine."""

    LOCAL = "local"
    STAGING = "staging"
    PRODUCTION = "production"


class Architecture(StrEnum):
    """The machine that functions run on; `host` is the one that runs the CDK, with its Python, as the emulator does."""

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
class Ecs:
    """ECS names: the clusters (the same in every region) and the service of each group of tasks that is followed."""

    cluster_names: tuple[str, ...]
    switch_service: str
    media_proxy_service: str
    client_gateway_service: str

    def __post_init__(self) -> None:
        services = {
            "ecsSwitchService": self.switch_service,
            "ecsMediaProxyService": self.media_proxy_service,
            "ecsClientGatewayService": self.client_gateway_service,
        }
        for name in self.cluster_names:
            limits.matches("ecsClusterNames", name, limits.ECS_NAME, "names of ECS clusters, not ARNs")
        for key, name in services.items():
            limits.matches(key, name, limits.ECS_NAME, "the name of an ECS service, not its ARN")
        limits.distinct("ecsSwitchService", list(services.values()), "name: switch, media proxy, client gateway")


@dataclass(frozen=True, slots=True)
class Switch:
    """Ports of a switch task: SIP, SIP for carriers that need the NAT instance's address, FreeSWITCH's event socket."""

    sip_port: int
    sip_alternative_port: int
    event_socket_port: int

    def __post_init__(self) -> None:
        limits.port("switchSipPort", self.sip_port)
        limits.port("switchSipAlternativePort", self.sip_alternative_port)
        limits.port("switchEventSocketPort", self.event_socket_port)


@dataclass(frozen=True, slots=True)
class MediaProxy:
    """Port of rtpengine's ng control protocol."""

    ng_port: int

    def __post_init__(self) -> None:
        limits.port("mediaProxyNgPort", self.ng_port)


@dataclass(frozen=True, slots=True)
class CallPlatform:
    """The platform's services API: base URL, basic-auth user, name of the SSM SecureString with the password."""

    host: str
    username: str
    password_parameter: str

    def __post_init__(self) -> None:
        # A user or a password in the URL would end in the template.
        limits.matches("callPlatformHost", self.host, r"https?://[^/@\s]+", "http(s)://host[:port]")
        parameter, meaning = self.password_parameter, "the name of an SSM parameter"
        limits.matches("callPlatformPasswordParameter", parameter, limits.PARAMETER_NAME, meaning)


@dataclass(frozen=True, slots=True)
class FunctionSize:
    """Memory (MiB; it also buys CPU) and time limit (seconds) of a function.

    `reserved_concurrency` is taken out of the account's concurrency for this function, and is its limit too. None by
    default: a new account has ten executions in all, of which nothing may be reserved.
    """

    memory_megabytes: int
    timeout_seconds: int
    reserved_concurrency: int | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """The services queue: how long a message in work is hidden, and after how many receives it is a dead letter.

    `max_concurrency` bounds how many batches are in work at once (2 to 1000, Lambda's limits): writers meet at the head
    of the change journal, so more of them only retry more. `max_age_seconds` is the age of the oldest message that
    raises the alarm.
    """

    visibility_seconds: int
    max_receives: int
    max_concurrency: int
    batch_size: int
    max_age_seconds: int

    def __post_init__(self) -> None:
        limits.within("queueVisibilitySeconds", self.visibility_seconds, 1, 43_200)
        limits.within("queueMaxReceives", self.max_receives, 1, 1000)
        limits.within("queueMaxConcurrency", self.max_concurrency, 2, 1000)
        limits.within("queueBatchSize", self.batch_size, 1, 10)
        limits.within("queueMaxAgeSeconds", self.max_age_seconds, 60, 1_209_600)


@dataclass(frozen=True, slots=True)
class Events:
    """Asynchronous events: how often and how long a failed one is tried again before it goes to a failures queue."""

    retries: int
    max_age_seconds: int

    def __post_init__(self) -> None:
        limits.within("eventsRetries", self.retries, 0, 2)
        limits.within("eventsMaxAgeSeconds", self.max_age_seconds, 60, 21_600)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a deployment can choose.

    `home_region` is where the stacks are deployed: the control plane has one home, switches run in every one of
    `regions`. `protect_data` keeps tables and recordings when a stack is deleted and refuses their deletion.
    """

    environment: Environment
    home_region: str
    regions: tuple[Region, ...]
    architecture: Architecture
    protect_data: bool
    log_level: str
    log_retention_days: int
    access_log_retention_days: int
    recording_retention_days: int
    reconcile_interval_minutes: int
    ecs: Ecs
    switch: Switch
    media_proxy: MediaProxy
    call_platform: CallPlatform
    services: FunctionSize
    s3_mpeg: FunctionSize
    mp3_bit_rate: str
    queue: Queue
    events: Events
    recordings_bucket_name: str | None = None
    alarm_email: str | None = None

    def __post_init__(self) -> None:
        self._check_regions()
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
