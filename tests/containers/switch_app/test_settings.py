import ipaddress
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from switch_app.aws_clients import AwsClients
from switch_app.errors import InvalidSetting
from switch_app.local_address import default_route_address
from switch_app.settings import Settings

REQUIRED = {
    "AHN_HTTP_PASSWORD": "secret-1",
    "AWS_DEFAULT_REGION": "ap-southeast-1",
    "CALL_PLATFORM_HOST": "https://services.somleng.org",
    "CALL_PLATFORM_PASSWORD_PARAMETER": "somleng.production.services_password",
    "FS_EVENT_SOCKET_PASSWORD": "secret-2",
    "FS_RECORDINGS_BUCKET_NAME": "raw-recordings.somleng.org",
    "REGION": "hydrogen",
    "SERVICES_FUNCTION_ARN": "arn:aws:lambda:ap-southeast-1:111122223333:function:switch-services",
}


def read(**changes: str) -> Settings:
    return Settings.from_environment({**REQUIRED, **changes}, lambda: "10.10.1.13")


class Recorded(Mapping[str, str]):
    """An environment that knows which variables were asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values_, self.asked = values, set[str]()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self.values_[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)


def test_defaults() -> None:
    settings = read()
    assert (settings.http.address, settings.http.port, settings.http.username) == ("127.0.0.1", 3000, "adhearsion")
    assert settings.platform.username == "services"
    assert (settings.event_socket.host, settings.event_socket.port) == ("127.0.0.1", 8021)
    assert settings.event_socket.handover == ("127.0.0.1", 8084)
    assert settings.host == "10.10.1.13"
    assert settings.storage.recordings == Path("/var/lib/freeswitch/storage/recordings")
    assert settings.storage.bucket_region == "ap-southeast-1"
    assert settings.services_function_region == "ap-southeast-1"
    assert settings.platform.password_region == "ap-southeast-1"
    assert (settings.ring_seconds, settings.drain_seconds, settings.flush_seconds) == (60, 75.0, 30.0)
    assert (settings.private_networks, settings.agent_uri, settings.log_level) == ((), None, "INFO")


def test_a_switch_of_another_region_asks_the_home_region_for_what_is_there_alone() -> None:
    clients = AwsClients.of(
        read(
            AWS_DEFAULT_REGION="us-east-1",
            CALL_PLATFORM_PASSWORD_PARAMETER_REGION="ap-southeast-1",
            FS_RECORDINGS_BUCKET_REGION="ap-southeast-1",
            SERVICES_FUNCTION_REGION="ap-southeast-1",
        )
    )
    regions = [client.meta.region_name for client in (clients.polly, clients.ssm, clients.s3, clients.functions)]
    assert regions == ["us-east-1", "ap-southeast-1", "ap-southeast-1", "ap-southeast-1"]


@pytest.mark.parametrize("name", sorted(REQUIRED))
@pytest.mark.parametrize("empty", [True, False])
def test_names_what_is_missing(name: str, empty: bool) -> None:
    environment = {**REQUIRED, name: ""} if empty else {key: REQUIRED[key] for key in REQUIRED if key != name}
    with pytest.raises(InvalidSetting, match=f"{name} is not set"):
        Settings.from_environment(environment, lambda: "10.10.1.13")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AHN_CORE_HTTP_PORT", "0"),
        ("AHN_CORE_HTTP_PORT", "65536"),
        ("AHN_CORE_HTTP_PORT", "٣٠٠٠"),
        ("FS_SWITCH_APP_ADDRESS", "8084"),
        ("FS_SWITCH_APP_ADDRESS", "localhost:0"),
        ("FS_EVENT_SOCKET_PORT", "-1"),
        ("HTTP_ADDRESS", "localhost"),
        ("HOST_ADDRESS", "10.0.0.256"),
        ("HOST_ADDRESS", "10.0.0.1:80"),
        ("CALL_PLATFORM_HOST", "services.somleng.org"),
        ("CALL_PLATFORM_HOST", "ftp://services.somleng.org"),
        ("ECS_AGENT_URI", "169.254.170.2"),
        ("FS_CACHE_DIRECTORY", "cache"),
        ("PRIVATE_NETWORKS_ALLOWED", "10.0.0.1/8"),
        ("PRIVATE_NETWORKS_ALLOWED", "everything"),
        ("RING_TIMEOUT", "0"),
        ("RING_TIMEOUT", "nan"),
        ("DRAIN_TIMEOUT", "-1"),
        ("DRAIN_TIMEOUT", "soon"),
        ("FLUSH_TIMEOUT", "3601"),
        ("LOG_LEVEL", "chatty"),
    ],
)
def test_names_what_is_wrong(name: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=name):
        read(**{name: value})


def test_reads_everything_else() -> None:
    settings = read(
        PRIVATE_NETWORKS_ALLOWED="127.0.0.0/8, 10.1.0.0/16,fd00::/8",
        HOST_ADDRESS="10.9.8.7",
        ECS_AGENT_URI="http://169.254.170.2/api/1234/",
        CALL_PLATFORM_HOST="http://127.0.0.1:3000/",
        LOG_LEVEL="debug",
    )
    assert settings.private_networks == tuple(
        ipaddress.ip_network(network) for network in ("127.0.0.0/8", "10.1.0.0/16", "fd00::/8")
    )
    assert settings.host == "10.9.8.7"
    assert settings.agent_uri == "http://169.254.170.2/api/1234"
    assert settings.platform.url == "http://127.0.0.1:3000"
    assert settings.log_level == "DEBUG"


def test_shows_no_secret() -> None:
    assert not re.search("secret-[12]", repr(read()))


def test_finds_an_address_without_sending_anything() -> None:
    try:
        address = default_route_address()
    except InvalidSetting as error:
        pytest.skip(str(error))
    assert not ipaddress.ip_address(address).is_unspecified


def test_the_documentation_lists_exactly_what_is_read() -> None:
    environment = Recorded(dict(REQUIRED))
    Settings.from_environment(environment, lambda: "10.10.1.13")
    page = (Path(__file__).parents[3] / "docs" / "switch-app.md").read_text()
    table = page.split("\n## Settings\n", 1)[1].split("\n## ", 1)[0]
    documented = {name for line in table.splitlines() if line.startswith("| `") for name in _names(line)}
    assert documented == environment.asked


def _names(line: str) -> list[str]:
    return re.findall(r"`([A-Z][A-Z0-9_]+)`", line.split("|")[1])
