"""The app's environment, read once into a value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from switch_app.environment import Environment, IPNetwork
from switch_app.local_address import default_route_address

_LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where the platform's requests are answered, and who may make them.

    Attributes:
        address, port: where it listens.
        username, password: the platform's.

    """

    address: str
    port: int
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CallPlatformSettings:
    """The platform's services API.

    Attributes:
        url: without a slash at the end.
        username: ours.
        password_parameter: the SSM parameter that holds our password.
        password_region: the parameter's region.

    """

    url: str
    username: str
    password_parameter: str
    password_region: str


@dataclass(frozen=True, slots=True)
class EventSocketSettings:
    """FreeSWITCH's event socket, and the one that it connects to.

    Attributes:
        host, port: where FreeSWITCH listens.
        password: FreeSWITCH's.
        handover: host and port that the app listens at for the calls that FreeSWITCH hands over.

    """

    host: str
    port: int
    handover: tuple[str, int]
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """Folders that FreeSWITCH and the app share, and the bucket.

    Attributes:
        cache: synthesised speech and downloaded audio.
        recordings: recordings that are not uploaded yet.
        call_data_records: records that the platform has not got yet.
        media_streams: the pipes that the audio of media streams goes through.
        bucket, bucket_region: where recordings are uploaded to.

    """

    cache: Path
    recordings: Path
    call_data_records: Path
    media_streams: Path
    bucket: str
    bucket_region: str


@dataclass(frozen=True, slots=True)
class MediaStreamSettings:
    """What media streams may do.

    Attributes:
        insecure_urls: whether `ws` is taken beside `wss`; for development.
        buffer_seconds: audio of the other side that waits to be heard, at most, a stream.
        subprotocol: offered in the handshake.

    """

    insecure_urls: bool = False
    buffer_seconds: int = 300
    subprotocol: str = "audio.somleng.org"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the environment tells the app.

    Attributes:
        http: the HTTP API.
        platform: the platform's services API.
        event_socket: FreeSWITCH.
        storage: folders and the bucket.
        media_streams: what media streams may do.
        region: the alias of the region that this switch is in.
        host: this machine's IP address, where the platform reaches the HTTP API.
        aws_region: where Polly is asked.
        services_function, services_function_region: the function that knows where clients are.
        private_networks: addresses that customers' URLs may lead to although they are not public.
        ring_seconds: how long a callee of an outbound call may take to answer.
        drain_seconds: how long live calls may go on once the app is to end.
        flush_seconds: how long what waits for the platform and the bucket may take to be sent after that.
        agent_uri: where the ECS agent is; None outside ECS.
        log_level: from which level on is logged.
        service: the ECS service, the metrics' dimension.
        metrics_seconds: between two lines of metrics.

    """

    http: HttpSettings
    platform: CallPlatformSettings
    event_socket: EventSocketSettings
    storage: StorageSettings
    media_streams: MediaStreamSettings
    region: str
    host: str
    aws_region: str
    services_function: str
    services_function_region: str
    private_networks: tuple[IPNetwork, ...]
    ring_seconds: int
    drain_seconds: float
    flush_seconds: float
    agent_uri: str | None
    log_level: str
    service: str
    metrics_seconds: float

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str], find_address: Callable[[], str] = default_route_address
    ) -> "Settings":
        """Read the settings.

        Args:
            environment: the variables.
            find_address: returns this machine's address, where no variable says it.

        Raises:
            InvalidSetting: naming the variable that is missing or wrong.

        """
        read = Environment(environment)
        aws_region = read.text("AWS_DEFAULT_REGION")
        storage = read.path("FS_STORAGE_DIRECTORY", "/var/lib/freeswitch/storage")
        return cls(
            http=HttpSettings(
                address=read.address("HTTP_ADDRESS", "127.0.0.1"),
                port=read.port("AHN_CORE_HTTP_PORT", 3000),
                username=read.text("AHN_HTTP_USERNAME", "adhearsion"),
                password=read.text("AHN_HTTP_PASSWORD"),
            ),
            platform=CallPlatformSettings(
                url=read.url("CALL_PLATFORM_HOST"),
                username=read.text("CALL_PLATFORM_USERNAME", "services"),
                password_parameter=read.text("CALL_PLATFORM_PASSWORD_PARAMETER"),
                password_region=read.text("CALL_PLATFORM_PASSWORD_PARAMETER_REGION", aws_region),
            ),
            event_socket=EventSocketSettings(
                host=read.text("FS_EVENT_SOCKET_HOST", "127.0.0.1"),
                port=read.port("FS_EVENT_SOCKET_PORT", 8021),
                password=read.text("FS_EVENT_SOCKET_PASSWORD"),
                handover=read.host_and_port("FS_SWITCH_APP_ADDRESS", "127.0.0.1:8084"),
            ),
            storage=StorageSettings(
                cache=read.path("FS_CACHE_DIRECTORY", "/cache"),
                recordings=read.path("RECORDINGS_DIRECTORY", str(storage / "recordings")),
                call_data_records=read.path("CALL_DATA_RECORDS_DIRECTORY", str(storage / "call_data_records")),
                media_streams=read.path("MEDIA_STREAMS_DIRECTORY", str(storage / "media_streams")),
                bucket=read.text("FS_RECORDINGS_BUCKET_NAME"),
                bucket_region=read.text("FS_RECORDINGS_BUCKET_REGION", aws_region),
            ),
            media_streams=MediaStreamSettings(
                insecure_urls=read.one_of("MEDIA_STREAMS_INSECURE", "FALSE", ("TRUE", "FALSE")) == "TRUE",
                buffer_seconds=int(read.seconds("MEDIA_STREAMS_BUFFER", 300, 1, 3600)),
                subprotocol=read.text("MEDIA_STREAMS_SUBPROTOCOL", "audio.somleng.org"),
            ),
            region=read.text("REGION"),
            host=read.address("HOST_ADDRESS") if environment.get("HOST_ADDRESS") else find_address(),
            aws_region=aws_region,
            services_function=read.text("SERVICES_FUNCTION_ARN"),
            services_function_region=read.text("SERVICES_FUNCTION_REGION", aws_region),
            private_networks=read.networks("PRIVATE_NETWORKS_ALLOWED"),
            ring_seconds=int(read.seconds("RING_TIMEOUT", 60, 1, 600)),
            # With the seconds in which calls are hung up and the task is released, less than the 120 that ECS waits at
            # most before it kills.
            drain_seconds=read.seconds("DRAIN_TIMEOUT", 75, 0, 172_800),
            flush_seconds=read.seconds("FLUSH_TIMEOUT", 30, 0, 3600),
            agent_uri=read.url("ECS_AGENT_URI") if environment.get("ECS_AGENT_URI") else None,
            log_level=read.one_of("LOG_LEVEL", "INFO", _LOG_LEVELS),
            service=read.text("SERVICE_NAME", "switch"),
            metrics_seconds=read.seconds("METRICS_INTERVAL", 60, 1, 3600),
        )
