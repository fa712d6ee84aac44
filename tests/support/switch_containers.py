"""The containers of a switch, from their images: the proxy, the app, the event logger and FreeSWITCH of a task."""

from dataclasses import dataclass
from pathlib import Path

from local import servers
from tests.support import freeswitch_image
from tests.support.freeswitch import NAT_INSTANCE_IP
from tests.support.images import Container, ImageStore
from tests.support.services_environment import PASSWORD_PARAMETER

PROXY = "localhost/somleng-switch/switch-webserver"
APP = "localhost/somleng-switch/switch-app"
EVENT_LOGGER = "localhost/somleng-switch/freeswitch-event-logger"
CACHE, STORAGE = "/cache", "/var/lib/freeswitch/storage"
USER = 509
"""Of all but the proxy: they share files."""
BUCKET = "raw-recordings.example"
API_PASSWORD = "password"


@dataclass
class SwitchContainers:
    """Makes the containers of one switch; a container is a context, and starts as that.

    Args:
        store: where the images are.
        directory: an empty one, for volumes and logs.
        event_socket: host and port of FreeSWITCH's.
        event_socket_password: FreeSWITCH's.
        app: host and port that FreeSWITCH hands calls over at.
        aws: URL of the account, with the parameter of the platform's password.
        platform: URL.

    Attributes:
        api_port: where the app's HTTP API is.

    """

    store: ImageStore
    directory: Path
    event_socket: str
    event_socket_password: str
    app: str
    aws: str
    platform: str

    def __post_init__(self) -> None:
        self.api_port = servers.free_port()
        self.cache = self.store.volume(APP, CACHE, self.directory / "cache")
        self.storage = self.store.volume(APP, STORAGE, self.directory / "storage")
        self._services = {
            **servers.credentials(),
            "AWS_ENDPOINT_URL": self.aws,
            "CALL_PLATFORM_HOST": self.platform,
            "CALL_PLATFORM_PASSWORD_PARAMETER": PASSWORD_PARAMETER,
        }

    def make_app(self) -> Container:
        """Make the switch app's."""
        host, _, port = self.event_socket.partition(":")
        settings = {
            **self._services,
            "AHN_CORE_HTTP_PORT": str(self.api_port),
            "AHN_HTTP_PASSWORD": API_PASSWORD,
            "FS_EVENT_SOCKET_HOST": host,
            "FS_EVENT_SOCKET_PASSWORD": self.event_socket_password,
            "FS_EVENT_SOCKET_PORT": port,
            "FS_RECORDINGS_BUCKET_NAME": BUCKET,
            "FS_SWITCH_APP_ADDRESS": self.app,
            "HOST_ADDRESS": "10.10.1.13",
            "PRIVATE_NETWORKS_ALLOWED": "127.0.0.0/8",
            "REGION": "hydrogen",
            "SERVICES_FUNCTION_ARN": "arn:aws:lambda:ap-southeast-1:123456789012:function:services",
        }
        volumes = {CACHE: self.cache, STORAGE: self.storage}
        return Container(self.store, APP, settings, self.directory / "app.log", volumes)

    def make_event_logger(self) -> Container:
        """Make the event logger's."""
        settings = {
            **self._services,
            "EVENT_SOCKET_HOST": self.event_socket,
            "EVENT_SOCKET_PASSWORD": self.event_socket_password,
            "HEALTHCHECK_PORT": str(servers.free_port()),
        }
        return Container(
            self.store, EVENT_LOGGER, settings, self.directory / "event_logger.log", {STORAGE: self.storage}
        )

    def make_freeswitch(self) -> Container:
        """Make FreeSWITCH's, with the one of this machine; its address is the event socket's."""
        address = self.event_socket.partition(":")[0]
        settings = {
            "FREESWITCH_MODULES": freeswitch_image.MODULES,
            # Else in /dev/shm, which is this machine's: the container has none of its own.
            "FS_DATABASE_DIRECTORY": "/var/lib/freeswitch/databases",
            "FS_EVENT_SOCKET_LISTEN_ADDRESS": address,
            "FS_EVENT_SOCKET_PASSWORD": self.event_socket_password,
            "FS_LISTEN_ADDRESS": address,
            "FS_NAT_GATEWAY_IP": address,
            "FS_NAT_INSTANCE_IP": NAT_INSTANCE_IP,
            "FS_STOP_DELAY": "0",
            "FS_SWITCH_APP_ADDRESS": self.app,
        }
        volumes = {CACHE: self.cache, STORAGE: self.storage}
        return Container(self.store, freeswitch_image.NAME, settings, self.directory / "freeswitch.log", volumes)


def make_proxy(store: ImageStore, log: Path, app_port: int, port: int = 80) -> Container:
    """Make the container of the proxy in front of a port of this machine."""
    settings = {"APP_ADDRESS": f"127.0.0.1:{app_port}", "HTTP_PORT": str(port)}
    return Container(store, PROXY, settings, log)
