"""The media proxy's start: what is refused, and what the real rtpengine then does."""

import os
import resource
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.containers.media_proxy.audio import listener, rtp
from tests.containers.media_proxy.ng import Media, NgClient
from tests.fakes.instance_metadata import instance_metadata
from tests.support import media_proxy
from tests.support.loopback import LoopbackNetwork
from tests.support.media_proxy import MediaProxy

ENTRYPOINT = Path(__file__).resolve().parents[3] / "containers" / "media_proxy" / "entrypoint.sh"
CONFIGURATION_ERROR = 78
OUTSIDE = "203.0.113.7"

needs_rtpengine = pytest.mark.skipif(media_proxy.BINARY is None, reason=media_proxy.MISSING)
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="the program 'curl' is not on the PATH")


@pytest.fixture
def network() -> LoopbackNetwork:
    return LoopbackNetwork()


@pytest.fixture
def proxy(network: LoopbackNetwork, tmp_path: Path) -> Iterator[MediaProxy]:
    """A media proxy behind NAT: one address of its own, another that clients know."""
    with behind_nat(network, tmp_path) as started:
        yield started


def behind_nat(network: LoopbackNetwork, directory: Path, **settings: str) -> MediaProxy:
    settings = {"PUBLIC_ADDRESS": "", "MEDIA_PORT_MIN": "31000", "MEDIA_PORT_MAX": "31099", **settings}
    return MediaProxy(directory, network.address(), OUTSIDE, settings)


def start(settings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the entrypoint with a program in rtpengine's place that prints its arguments."""
    environment = {
        "PATH": os.environ["PATH"],
        "RTPENGINE": "echo",
        "PRIVATE_ADDRESS": "127.77.0.1",
        "ADVERTISED_ADDRESS": OUTSIDE,
        **settings,
    }
    return subprocess.run([ENTRYPOINT], env=environment, capture_output=True, text=True, timeout=60, check=False)


# --- settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ADVERTISED_ADDRESS", ""),
        ("ADVERTISED_ADDRESS", "proxy.example.com"),
        ("ADVERTISED_ADDRESS", "203.0.113.256"),
        ("ADVERTISED_ADDRESS", "203.0.113.7\n"),
        ("PRIVATE_ADDRESS", "10.0.0"),
        ("PRIVATE_ADDRESS", "10.0.0.1!198.51.100.1"),
        ("PUBLIC_ADDRESS", "eth1"),
        ("HEALTHCHECK_ADDRESS", "localhost"),
        ("NG_PORT", "2223 "),
        ("NG_PORT", "65536"),
        ("HEALTHCHECK_PORT", "0"),
        ("MEDIA_PORT_MIN", "many"),
        ("MEDIA_PORT_MAX", "-1"),
        ("MEDIA_PORT_MIN", "040000"),
        ("LOG_LEVEL", "8"),
        ("LOG_LEVEL", "debug"),
        ("DRAIN_TIMEOUT", "-1"),
        ("DRAIN_TIMEOUT", "two minutes"),
    ],
)
def test_a_missing_or_malformed_value_is_refused_by_its_name(name: str, value: str) -> None:
    ended = start({name: value})
    assert ended.returncode == CONFIGURATION_ERROR
    assert f" {name} is " in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize("maximum", ["30000", "29999"])
def test_a_range_without_ports_is_refused(maximum: str) -> None:
    ended = start({"MEDIA_PORT_MIN": "30000", "MEDIA_PORT_MAX": maximum})
    assert ended.returncode == CONFIGURATION_ERROR
    assert "MEDIA_PORT_MIN is 30000, not below MEDIA_PORT_MAX" in ended.stderr


def test_only_the_advertised_address_has_no_default() -> None:
    ended = start({"PRIVATE_ADDRESS": ""})
    if address := address_of_default_route():
        assert ended.returncode == 0, ended.stderr
        assert f"--interface=private/{address} --interface=public/{address}!{OUTSIDE}" in ended.stdout
        assert f"--listen-ng={address}:2223" in ended.stdout
        assert "--port-min=30000 --port-max=40000" in ended.stdout
    else:
        assert ended.returncode == CONFIGURATION_ERROR
        assert "PRIVATE_ADDRESS is not set" in ended.stderr


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
def test_an_instance_is_asked_for_its_public_address(network: LoopbackNetwork) -> None:
    with instance_metadata(network.address(), "198.51.100.9") as endpoint:
        ended = start({"ADVERTISED_ADDRESS": "instance-metadata", "AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint})
    assert ended.returncode == 0, ended.stderr
    assert "--interface=public/127.77.0.1!198.51.100.9" in ended.stdout


@needs_curl
def test_an_instance_without_public_address_is_refused(network: LoopbackNetwork) -> None:
    with instance_metadata(network.address(), None) as endpoint:
        ended = start({"ADVERTISED_ADDRESS": "instance-metadata", "AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint})
    assert ended.returncode == CONFIGURATION_ERROR
    assert "ADVERTISED_ADDRESS is instance-metadata, but the instance has no public address" in ended.stderr


@needs_curl
def test_metadata_that_never_answers_is_given_up(network: LoopbackNetwork) -> None:
    with socket.create_server((network.address(), 0)) as silent:
        endpoint = "http://{}:{}".format(*silent.getsockname())
        began = time.monotonic()
        ended = start({"ADVERTISED_ADDRESS": "instance-metadata", "AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint})
    assert ended.returncode == CONFIGURATION_ERROR
    assert "ADVERTISED_ADDRESS is instance-metadata, but" in ended.stderr
    assert time.monotonic() - began < 20


# --- rtpengine


@needs_rtpengine
def test_a_ping_is_answered(proxy: MediaProxy) -> None:
    with NgClient(proxy.address) as gateway:
        assert gateway.ask(command="ping") == "d6:result4:ponge"


@needs_rtpengine
def test_each_side_is_told_an_address_that_it_reaches(proxy: MediaProxy) -> None:
    client = Media("192.168.1.2", 4000)
    with NgClient(proxy.address) as gateway:
        to_switch = Media.of(offer(gateway, client, "public", "private"))
        to_client = Media.of(offer(gateway, client, "private", "public"))
    assert to_switch.address == proxy.address
    assert to_client.address == OUTSIDE
    assert {to_switch.port, to_client.port} <= set(range(31000, 31100))


def offer(gateway: NgClient, media: Media, *direction: str) -> str:
    call = "-".join(direction)
    return gateway.ask(command="offer", call_id=call, from_tag="caller", sdp=media.description(), direction=direction)


@needs_rtpengine
def test_audio_of_a_client_behind_nat_goes_both_ways(proxy: MediaProxy, network: LoopbackNetwork) -> None:
    with listener(network.address()) as client, listener(network.address()) as switch, NgClient(proxy.address) as ng:
        behind_its_router = Media("192.168.1.2", 4000)
        offered = Media.of(offer(ng, behind_its_router, "public", "private"))
        answer = ng.ask(
            command="answer",
            call_id="public-private",
            from_tag="caller",
            to_tag="callee",
            sdp=Media(*switch.getsockname()).description(),
        )
        answered = Media.of(answer)
        assert answered.address == OUTSIDE

        # What the router in between turns the outside address into.
        client.sendto(rtp(1), (proxy.address, answered.port))
        assert switch.recv(2000)[12:] == b"\x01" * 160
        switch.sendto(rtp(2), (offered.address, offered.port))
        assert client.recv(2000)[12:] == b"\x02" * 160


@needs_rtpengine
def test_a_machine_in_both_networks_has_an_address_in_each(network: LoopbackNetwork, tmp_path: Path) -> None:
    private, public = network.address(), network.address()
    with MediaProxy(tmp_path, private, public), NgClient(private) as gateway:
        media = Media.of(offer(gateway, Media("192.168.1.2", 4000), "private", "public"))
        assert media.address == public
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other, pytest.raises(OSError, match="in use"):
            other.bind((public, media.port))


@needs_rtpengine
def test_it_may_open_as_many_sockets_as_the_machine_allows(network: LoopbackNetwork, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, soft), hard))
    try:
        with behind_nat(network, tmp_path) as proxy:
            limits = resource.prlimit(proxy.rtpengine, resource.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert limits[0] >= hard


@needs_rtpengine
@pytest.mark.parametrize(("level", "pings"), [("6", False), ("7", True)])
def test_pings_are_logged_only_for_debugging(level: str, pings: bool, network: LoopbackNetwork, tmp_path: Path) -> None:
    with behind_nat(network, tmp_path, LOG_LEVEL=level) as proxy:
        log = proxy.log.read_text()
    assert "Startup complete" in log
    assert ("'ping'" in log) is pings
