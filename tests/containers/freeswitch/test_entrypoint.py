"""FreeSWITCH's start without FreeSWITCH: what is refused, and what the configuration becomes."""

import os
import subprocess
from pathlib import Path

import pytest
from lxml import etree

FOLDER = Path(__file__).resolve().parents[3] / "containers" / "freeswitch"
CONFIGURATION_ERROR = 78


def start(directory: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Start it with settings that are enough, and a program in FreeSWITCH's place that prints its arguments."""
    records = directory / "records"
    records.mkdir(exist_ok=True)
    environment = {
        "PATH": os.environ["PATH"],
        "FREESWITCH": "echo",
        "FS_STATE_DIRECTORY": str(directory),
        "FS_DATABASE_DIRECTORY": str(directory / "databases"),
        "CALL_DATA_RECORDS_DIRECTORY": str(records),
        "FS_LISTEN_ADDRESS": "10.10.1.13",
        "FS_NAT_GATEWAY_IP": "13.250.230.15",
        "FS_NAT_INSTANCE_IP": "18.141.245.230",
        "FS_EVENT_SOCKET_PASSWORD": "secret",
        **settings,
    }
    return subprocess.run(
        [FOLDER / "entrypoint.sh"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("name", ["FS_NAT_GATEWAY_IP", "FS_NAT_INSTANCE_IP", "FS_EVENT_SOCKET_PASSWORD"])
def test_a_setting_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    ended = start(tmp_path, **{name: ""})
    assert ended.returncode == CONFIGURATION_ERROR
    assert f"{name} is not set" in ended.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FS_LISTEN_ADDRESS", "10.10.1"),
        ("FS_LISTEN_ADDRESS", "10.10.1.256"),
        ("FS_NAT_GATEWAY_IP", "nat.example.com"),
        ("FS_NAT_INSTANCE_IP", '18.141.245.230"/>'),
        ("FS_SIP_PORT", "0"),
        ("FS_SIP_ALTERNATIVE_PORT", "65536"),
        ("FS_SIP_UAC_PORT", "5081x"),
        ("FS_EVENT_SOCKET_PORT", "esl"),
        ("FS_EVENT_SOCKET_PASSWORD", "pass word"),
        ("FS_EVENT_SOCKET_PASSWORD", "$${x}"),
        ("FS_EVENT_SOCKET_NETWORKS", "10.0.0.0/33"),
        ("FS_EVENT_SOCKET_NETWORKS", "10.0.0.0"),
        ("FS_EVENT_SOCKET_NETWORKS", "everywhere"),
        ("FS_SWITCH_APP_ADDRESS", "127.0.0.1"),
        ("FS_SWITCH_APP_ADDRESS", "127.0.0.1:8084 async"),
        ("FS_MAXIMUM_SESSIONS", "0"),
        ("FS_RTP_PORT_MINIMUM", "40000"),
        ("FS_LOG_LEVEL", "debug"),
        ("FS_SIP_TRACE", "maybe"),
        ("FS_STATE_DIRECTORY", "/dev/null/state"),
        ("CALL_DATA_RECORDS_DIRECTORY", "/dev/null/records"),
        ("FS_DATABASE_DIRECTORY", "/dev/null/databases"),
    ],
)
def test_a_setting_that_is_wrong_is_named(tmp_path: Path, name: str, value: str) -> None:
    ended = start(tmp_path, **{name: value})
    assert ended.returncode == CONFIGURATION_ERROR
    assert name in ended.stderr


def test_a_password_that_is_refused_is_not_shown(tmp_path: Path) -> None:
    assert "pass word" not in start(tmp_path, FS_EVENT_SOCKET_PASSWORD="pass word").stderr


def test_freeswitch_is_started_in_the_foreground_with_the_filled_in_configuration(tmp_path: Path) -> None:
    ended = start(tmp_path, FREESWITCH_MODULES="/modules")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == [
        *("-nonat", "-nc", "-nf", "-conf", f"{tmp_path}/configuration", "-log", f"{tmp_path}/log"),
        *("-run", f"{tmp_path}/run", "-db", f"{tmp_path}/databases", "-mod", "/modules"),
    ]


def test_every_file_is_whole_and_nothing_is_left_to_fill_in(tmp_path: Path) -> None:
    assert start(tmp_path).returncode == 0
    made = tmp_path / "configuration"
    names = {path.name for path in (FOLDER / "configuration").glob("*.xml")}
    assert {path.name for path in made.iterdir()} == names | {"event_socket_networks.xml"}
    for path in made.iterdir():
        # FreeSWITCH's own ${...} in a comment is no setting.
        text = path.read_text()
        etree.fromstring(text.encode())
        assert "${FS_" not in text, path


def test_each_profile_advertises_its_address(tmp_path: Path) -> None:
    assert start(tmp_path, FS_SIP_ALTERNATIVE_PORT="6080").returncode == 0
    sip = etree.fromstring((tmp_path / "configuration" / "sip.xml").read_bytes())
    profiles = {
        profile.get("name"): {param.get("name"): param.get("value") for param in profile.iter("param")}
        for profile in sip.iter("profile")
    }
    own = {"ext-sip-ip": "10.10.1.13", "context": "inbound"}
    assert profiles["nat_gateway"] == {"sip-port": "5060", "ext-rtp-ip": "13.250.230.15", **own}
    assert profiles["nat_instance"] == {"sip-port": "6080", "ext-rtp-ip": "18.141.245.230", **own}
    assert profiles["uac_nat_instance"] == {
        "sip-port": "6081",
        "ext-rtp-ip": "18.141.245.230",
        "ext-sip-ip": "18.141.245.230",
        "context": "nothing",
    }


def test_only_the_networks_that_are_named_may_log_in(tmp_path: Path) -> None:
    assert start(tmp_path, FS_EVENT_SOCKET_NETWORKS="127.0.0.0/8,10.10.0.0/16").returncode == 0
    networks = etree.fromstring((tmp_path / "configuration" / "event_socket_networks.xml").read_bytes())
    assert [node.get("cidr") for node in networks.iter("node")] == ["127.0.0.0/8", "10.10.0.0/16"]


def test_what_means_something_in_xml_is_escaped(tmp_path: Path) -> None:
    template = tmp_path / "template.xml"
    template.write_text('<a value="${NAME}"/>\n')
    command = ["awk", "-f", str(FOLDER / "render.awk"), str(template)]
    environment = {"PATH": os.environ["PATH"], "NAME": "a&b<c>\"d'"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=10, check=True)
    assert etree.fromstring(ended.stdout).get("value") == "a&b<c>\"d'"


def test_a_name_without_a_value_is_reported_with_its_line(tmp_path: Path) -> None:
    template = tmp_path / "template.xml"
    template.write_text('<a>\n<b value="${NO_SUCH_NAME}"/>\n</a>\n')
    command = ["awk", "-f", str(FOLDER / "render.awk"), str(template)]
    environment = {"PATH": os.environ["PATH"]}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=10, check=False)
    assert ended.returncode == CONFIGURATION_ERROR
    assert f"{template}:2: environment variable NO_SUCH_NAME is not set" in ended.stderr


def test_it_finds_its_address_as_the_gateways_do() -> None:
    gateway, freeswitch = (
        (FOLDER.parent / name / "address.sh").read_text().partition("\n}\n")[0].partition("\n\n")[2]
        for name in ("gateway", "freeswitch")
    )
    assert gateway == freeswitch
