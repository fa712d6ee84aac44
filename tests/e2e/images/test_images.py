"""The images as built: each starts as its own user, is healthy by its own check, and ends when it is told to."""

import os
import re
import shutil
from pathlib import Path
from typing import Any

import boto3
import pytest

from local import servers
from routing import Address, PutAddress, RoutingRepository
from tests.e2e.images.conftest import DEBIAN
from tests.support import opensips
from tests.support.dockerfiles import ROOT
from tests.support.images import Container, ImageStore
from tests.support.loopback import LoopbackNetwork
from tests.support.routing_tables import ENVIRONMENT, NAMES, create_tables

STATE = "/var/lib/opensips"
GATEWAY_USER = 506


def test_the_media_proxy(store: ImageStore, network: LoopbackNetwork, tmp_path: Path) -> None:
    settings = {"PRIVATE_ADDRESS": network.address(), "ADVERTISED_ADDRESS": "203.0.113.7"}
    with Container(store, "localhost/somleng-switch/media-proxy", settings, tmp_path / "log") as proxy:
        proxy.wait_until_healthy()
        assert proxy.owner() == 507
        assert proxy.stop() == 0, proxy.log()
        assert "sessions have 110 seconds to end" in proxy.log()


def test_a_setting_that_is_missing_is_named(store: ImageStore, tmp_path: Path) -> None:
    settings = {"PRIVATE_ADDRESS": "127.0.0.1"}
    with Container(store, "localhost/somleng-switch/media-proxy", settings, tmp_path / "log") as proxy:
        assert proxy.process
        assert proxy.process.wait(10) == 78
        assert "ADVERTISED_ADDRESS is not set" in proxy.log()


# --- gateway and scheduler


@pytest.fixture
def endpoint(aws: str) -> str:
    """DynamoDB with the routing tables and an address in them."""
    keys: Any = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    client = boto3.client("dynamodb", endpoint_url=aws, region_name=servers.REGION, **keys)
    create_tables(client)
    RoutingRepository(client, NAMES).write([PutAddress(Address("192.0.2.10", 1), 1)])
    return aws


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A directory that belongs to the user of the gateway's images."""
    path = tmp_path / "state"
    path.mkdir(mode=0o750)
    os.chown(path, GATEWAY_USER, GATEWAY_USER)
    return path


def scheduler(store: ImageStore, endpoint: str, address: str, volume: Path, log: Path) -> Container:
    settings = {
        **servers.credentials(),
        **ENVIRONMENT,
        "AWS_ENDPOINT_URL": endpoint,
        "GATEWAY_KIND": "public",
        "GATEWAY_NAME": "203.0.113.7",
        "SIP_LISTEN_ADDRESS": address,
        "FS_EVENT_SOCKET_PASSWORD": "ClueCon",
        "HEALTH_PORT": str(servers.free_port()),
    }
    return Container(store, "localhost/somleng-switch/gateway-scheduler", settings, log, {STATE: volume})


def test_the_scheduler(
    store: ImageStore, endpoint: str, volume: Path, network: LoopbackNetwork, tmp_path: Path
) -> None:
    with scheduler(store, endpoint, network.address(), volume, tmp_path / "log") as sidecar:
        sidecar.wait_until_healthy()
        assert sidecar.owner() == GATEWAY_USER
        assert (volume / "ready").exists()
        assert sidecar.stop() == 0, sidecar.log()


@pytest.mark.skipif(opensips.BINARY is None, reason=opensips.MISSING)
def test_the_gateway_with_its_scheduler(
    store: ImageStore, endpoint: str, volume: Path, network: LoopbackNetwork, tmp_path: Path
) -> None:
    """The gateway's image but for where OpenSIPS comes from: this machine, and not its makers' repository."""
    build_gateway_with_opensips_of_this_machine(store, tmp_path)
    address = network.address()
    settings = {
        "SIP_LISTEN_ADDRESS": address,
        "SIP_ADVERTISED_ADDRESS": "203.0.113.7",
        "SHARED_MEMORY_MEGABYTES": "64",
        "SIP_WORKERS": "2",
    }
    image = "localhost/somleng-switch/public-gateway"
    with (
        scheduler(store, endpoint, address, volume, tmp_path / "scheduler.log") as sidecar,
        Container(store, image, settings, tmp_path / "gateway.log", {STATE: volume}) as gateway,
    ):
        sidecar.wait_until_healthy()
        gateway.wait_until_healthy()
        assert gateway.owner() == GATEWAY_USER
        assert gateway.stop() == 0, gateway.log()


def build_gateway_with_opensips_of_this_machine(store: ImageStore, directory: Path) -> None:
    binary = Path(opensips.BINARY or "")
    modules = Path(os.environ.get("OPENSIPS_MODULES") or next(Path("/usr/lib").glob("*/opensips/modules")))
    added = {
        "/usr/sbin/opensips": binary,
        f"/usr/lib/{os.uname().machine}-linux-gnu/opensips/modules": modules,
    }
    base = "localhost/debian-with-opensips"
    store.commit(base, added, DEBIAN)
    context = directory / "gateway"
    shutil.copytree(ROOT / "containers" / "gateway", context)
    written = (context / "Dockerfile").read_text().replace("FROM debian:bookworm-slim", f"FROM {base}", 1)
    # Of the first step stay the user, the directory, and the packages that are Debian's.
    written, replaced = re.subn(r"curl --silent.*?apt-get update \\\n +&& ", "", written, flags=re.DOTALL)
    assert replaced == 1
    written, replaced = re.subn(
        r'"opensips=3.*?"opensips-sqlite-module=[^"]*"', "libsqlite3-0", written, flags=re.DOTALL
    )
    assert replaced == 1
    (context / "Dockerfile").write_text(written)
    name = "somleng-switch/public-gateway"
    options = ["--network", "host", "--pull-never", "--format", "docker", "--target", "public", "--tag", name]
    store.buildah("build", *options, str(context))


# --- the operator's command line


def test_the_operator(store: ImageStore, endpoint: str, tmp_path: Path) -> None:
    settings = {**servers.credentials(), **ENVIRONMENT, "AWS_ENDPOINT_URL": endpoint}
    image = "localhost/somleng-switch/operator"
    with Container(store, image, settings, tmp_path / "log", arguments=("permissions", "list", "--json")) as operator:
        assert operator.user == "510:510"
        assert operator.process
        assert operator.process.wait(30) == 0, operator.log()
        assert '"source_ip": "192.0.2.10"' in operator.log()
    with Container(store, image, servers.credentials(), tmp_path / "log2", arguments=("check", "list")) as operator:
        assert operator.process
        assert operator.process.wait(30) == 2, operator.log()
