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

import re
from dataclasses import dataclass
from enum import StrEnum


class SettingsError(Exception):
    """A setting is missing or wrong; the message names its key, and says what it must be."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"setting '{key}' {problem} (see cdk.json, or give it with -c {key}=...)")
        self.key = key


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


@dataclass(frozen=True, slots=True)
class Switch:
    """Ports of a switch task: SIP, SIP for carriers that need the NAT instance's address, FreeSWITCH's event socket."""

    sip_port: int
    sip_alternative_port: int
    event_socket_port: int

    def __post_init__(self) -> None:
        _check_port("switchSipPort", self.sip_port)
        _check_port("switchSipAlternativePort", self.sip_alternative_port)
        _check_port("switchEventSocketPort", self.event_socket_port)


@dataclass(frozen=True, slots=True)
class MediaProxy:
    """Port of rtpengine's ng control protocol."""

    ng_port: int

    def __post_init__(self) -> None:
        _check_port("mediaProxyNgPort", self.ng_port)


@dataclass(frozen=True, slots=True)
class CallPlatform:
    """The platform's services API: base URL, basic-auth user, name of the SSM SecureString with the password."""

    host: str
    username: str
    password_parameter: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"https?://[^/\s]+", self.host):
            raise SettingsError("callPlatformHost", f"must be http(s)://host[:port], not '{self.host}'")


@dataclass(frozen=True, slots=True)
class FunctionSize:
    """Memory (MiB; it also buys CPU) and time limit (seconds) of a function."""

    memory_megabytes: int
    timeout_seconds: int


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
        if not 2 <= self.max_concurrency <= 1000:
            raise SettingsError("queueMaxConcurrency", f"must be 2 to 1000, not {self.max_concurrency}")
        if not 1 <= self.batch_size <= 10:
            raise SettingsError("queueBatchSize", f"must be 1 to 10, not {self.batch_size}")


@dataclass(frozen=True, slots=True)
class Events:
    """Asynchronous events: how often and how long a failed one is tried again before it goes to a failures queue."""

    retries: int
    max_age_seconds: int

    def __post_init__(self) -> None:
        if not 0 <= self.retries <= 2:
            raise SettingsError("eventsRetries", f"must be 0 to 2, not {self.retries}")
        if not 60 <= self.max_age_seconds <= 21600:
            raise SettingsError("eventsMaxAgeSeconds", f"must be 60 to 21600, not {self.max_age_seconds}")


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
        self._check_queue()
        if not self.is_local and not self.call_platform.host.startswith("https://"):
            raise SettingsError("callPlatformHost", "must be https outside the local environment")
        if self.log_retention_days not in _RETENTIONS:
            raise SettingsError("logRetentionDays", f"must be one of {', '.join(map(str, _RETENTIONS))}")
        if self.alarm_email is not None and "@" not in self.alarm_email:
            raise SettingsError("alarmEmail", f"must be an e-mail address, not '{self.alarm_email}'")
        for key, days in (
            ("accessLogRetentionDays", self.access_log_retention_days),
            ("recordingRetentionDays", self.recording_retention_days),
            ("reconcileIntervalMinutes", self.reconcile_interval_minutes),
        ):
            if days < 1:
                raise SettingsError(key, f"must be at least 1, not {days}")

    @property
    def is_local(self) -> bool:
        """Whether this is the emulator, where data is throw-away and events cannot come from AWS itself."""
        return self.environment is Environment.LOCAL

    def _check_regions(self) -> None:
        for name in ("identifier", "alias", "group_id"):
            values = [getattr(region, name) for region in self.regions]
            if len(set(values)) < len(values):
                raise SettingsError("regions", f"must differ from each other in '{name}'")
        if self.home_region not in [region.identifier for region in self.regions]:
            raise SettingsError("homeRegion", f"must be one of 'regions', not '{self.home_region}'")

    def _check_queue(self) -> None:
        # AWS asks for six times the function's time limit, so that a batch that is throttled and tried again is not
        # received a second time meanwhile. Locally nothing throttles, and a dead letter should be seen within seconds.
        factor = 1 if self.is_local else 6
        if self.queue.visibility_seconds < factor * self.services.timeout_seconds:
            raise SettingsError("queueVisibilitySeconds", f"must be at least {factor} x servicesTimeoutSeconds")


_RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""What CloudWatch Logs accepts as a retention in days."""


def _check_port(key: str, port: int) -> None:
    if not 1 <= port <= 65535:
        raise SettingsError(key, f"must be a port (1 to 65535), not {port}")
