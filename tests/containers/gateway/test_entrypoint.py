"""The gateway's start without OpenSIPS: what is refused, what the configuration becomes, what is waited for."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.fakes.instance_metadata import instance_metadata
from tests.support.loopback import LoopbackNetwork

FOLDER = Path(__file__).resolve().parents[3] / "containers" / "gateway"
CONFIGURATION_ERROR = 78
TEMPORARY_FAILURE = 75
TOLD_TO_STOP = 143

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="the program 'curl' is not on the PATH")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory that the scheduler has filled."""
    (tmp_path / "ready").touch()
    return tmp_path


def environment(state: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Settings that are enough, with a program in OpenSIPS's place that prints its arguments."""
    return {
        "PATH": os.environ["PATH"],
        "OPENSIPS": "echo",
        "STATE_DIRECTORY": str(state),
        "SIP_LISTEN_ADDRESS": "127.77.0.1",
        "SIP_ADVERTISED_ADDRESS": "203.0.113.7",
        **settings,
    }


def start(state: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [FOLDER / "entrypoint.sh", *(arguments or ["client"])]
    return subprocess.run(
        command, env=environment(state, settings), capture_output=True, text=True, timeout=60, check=False
    )


def launch(state: Path, **settings: str) -> subprocess.Popen[str]:
    command = [str(FOLDER / "entrypoint.sh"), "public"]
    return subprocess.Popen(command, env=environment(state, settings), stdout=subprocess.PIPE, text=True)


# --- settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIP_ADVERTISED_ADDRESS", ""),
        ("SIP_ADVERTISED_ADDRESS", "203.0.113.7;port=1"),
        ("SIP_LISTEN_ADDRESS", "127.0.0.1\n"),
        ("SIP_PORT", "0"),
        ("SIP_PORT", "5060x"),
        ("SIP_ALTERNATIVE_PORT", "65536"),
        ("SIP_REALM", 'somleng.org"'),
        ("DIGEST_ALGORITHMS", "MD5 SHA-256"),
        ("SIP_WORKERS", "0"),
        ("REGISTRATION_MINIMUM", "-600"),
        ("SWITCH_GROUP_ID", "hydrogen"),
        ("ANSWER_TIMEOUT", "5s"),
        ("ANSWER_TIMEOUT", "1"),
        ("RING_TIMEOUT", "1.5"),
        ("INITIAL_SWITCH_CAPACITY", "many"),
        ("PROBE_INTERVAL", "0"),
        ("SHARED_MEMORY_MEGABYTES", "256M"),
        ("READY_TIMEOUT", "soon"),
        ("LOG_LEVEL", "debug"),
        ("STATE_DIRECTORY", "/nonexistent"),
    ],
)
def test_a_missing_or_malformed_value_is_refused_by_its_name(name: str, value: str, state: Path) -> None:
    ended = start(state, **{name: value})
    assert ended.returncode == CONFIGURATION_ERROR
    assert f"gateway: {name} is " in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize("kind", ["", "private"])
def test_a_gateway_of_no_kind_is_refused(kind: str, state: Path) -> None:
    ended = start(state, kind, GATEWAY_KIND=kind)
    assert ended.returncode == CONFIGURATION_ERROR
    assert f"GATEWAY_KIND is '{kind}', not public or client" in ended.stderr


def test_without_setting_it_listens_where_packets_leave(state: Path) -> None:
    ended = start(state, SIP_LISTEN_ADDRESS="")
    if address := address_of_default_route():
        assert ended.returncode == 0, ended.stderr
        assert f"socket = udp:{address}:5060\n" in (state / "opensips.cfg").read_text()
    else:
        assert ended.returncode == CONFIGURATION_ERROR
        assert "SIP_LISTEN_ADDRESS is not set" in ended.stderr


def address_of_default_route() -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # chooses a route and sends nothing
        except OSError:
            return None
        address: str = probe.getsockname()[0]
        return address


# --- EC2's metadata


@needs_curl
def test_an_instance_is_asked_for_its_public_address(state: Path) -> None:
    with instance_metadata(LoopbackNetwork().address(), "198.51.100.9") as endpoint:
        ended = start(
            state,
            SIP_ADVERTISED_ADDRESS="instance-metadata",
            AWS_EC2_METADATA_SERVICE_ENDPOINT=endpoint,
            http_proxy="http://192.0.2.1:9",  # what is the instance's own business goes through no proxy
        )
    assert ended.returncode == 0, ended.stderr
    assert "alias = udp:198.51.100.9:5060\n" in (state / "common.cfg").read_text()


@needs_curl
def test_an_instance_without_public_address_is_refused(state: Path) -> None:
    with instance_metadata(LoopbackNetwork().address(), None) as endpoint:
        ended = start(state, SIP_ADVERTISED_ADDRESS="instance-metadata", AWS_EC2_METADATA_SERVICE_ENDPOINT=endpoint)
    assert ended.returncode == CONFIGURATION_ERROR
    assert "SIP_ADVERTISED_ADDRESS is instance-metadata, but the instance has no public address" in ended.stderr


# --- configuration


@pytest.mark.parametrize("kind", ["public", "client"])
def test_every_value_of_the_templates_has_a_setting(kind: str, state: Path) -> None:
    ended = start(state, kind)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == f"-F -f {state}/opensips.cfg -m 256\n"
    for name, template in (("common.cfg", "common.cfg"), ("opensips.cfg", f"{kind}/opensips.cfg")):
        rendered = (state / name).read_text()
        assert not re.search(r"\$\{[A-Z]", rendered)
        # Nothing but values changed.
        pattern = re.escape((FOLDER / template).read_text())
        assert re.fullmatch(re.sub(r"\\\$\\\{[A-Z_0-9]+\\\}", "[^\n]+", pattern), rendered)


def test_settings_reach_the_configuration(state: Path) -> None:
    settings = {"SIP_REALM": "sip.example.com", "RING_TIMEOUT": "45", "SHARED_MEMORY_MEGABYTES": "64"}
    ended = start(state, "client", **settings)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.endswith(" -m 64\n")
    assert 'www_authorize("sip.example.com", ' in (state / "opensips.cfg").read_text()
    assert 'modparam("tm", "fr_inv_timeout", 45)' in (state / "common.cfg").read_text()


def render(template: str, **values: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["awk", "-f", FOLDER / "render.awk"],
        input=template,
        env={"PATH": os.environ["PATH"], **values},
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )


def test_a_template_names_every_value_that_it_lacks_with_its_line() -> None:
    ended = render("first ${GIVEN}\n${MISSING} and ${EMPTY}\n", GIVEN="1", EMPTY="")
    assert ended.returncode == CONFIGURATION_ERROR
    assert ":2: environment variable MISSING is not set" in ended.stderr
    assert ":2: environment variable EMPTY is not set" in ended.stderr
    assert "GIVEN" not in ended.stderr


def test_a_value_is_taken_as_it_is() -> None:
    ended = render("[${A}${A}] $var(x) $rU ${lower}\n", A=r"a&b ${B}/\1")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == r"[a&b ${B}/\1a&b ${B}/\1] $var(x) $rU ${lower}" + "\n"


# --- the scheduler


def test_it_starts_when_the_scheduler_is_ready(tmp_path: Path) -> None:
    with launch(tmp_path) as waiting:
        time.sleep(1.5)
        assert waiting.poll() is None
        (tmp_path / "ready").touch()
        assert waiting.wait(5) == 0
        assert waiting.stdout
        assert waiting.stdout.read().startswith("-F -f ")


def test_a_scheduler_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    ended = start(tmp_path, READY_TIMEOUT="1")
    assert ended.returncode == TEMPORARY_FAILURE
    assert "the scheduler is not ready after 1 seconds" in ended.stderr
    assert ended.stdout == ""


def test_told_to_stop_it_waits_no_longer(tmp_path: Path) -> None:
    with launch(tmp_path) as waiting:
        time.sleep(0.5)
        waiting.terminate()
        assert waiting.wait(5) == TOLD_TO_STOP
