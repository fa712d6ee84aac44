"""The images of a switch: each starts as its own user, is healthy by its own check, and ends when it is told to."""

import asyncio
import http.client
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from local import servers
from tests.e2e.images.conftest import DEBIAN
from tests.fakes.call_platform import CallPlatform
from tests.fakes.customer_server import CustomerServer, Reply
from tests.fakes.event_socket import EventSocket
from tests.fakes.freeswitch import FakeFreeSwitch
from tests.support import freeswitch, freeswitch_image
from tests.support.event_logger import write_record
from tests.support.images import Container, ImageStore
from tests.support.loopback import LoopbackNetwork
from tests.support.services_environment import PASSWORD_PARAMETER
from tests.support.switch_call import a_call_through
from tests.support.switch_containers import APP, BUCKET, EVENT_LOGGER, PROXY, USER, SwitchContainers, make_proxy
from tests.support.waiting import until

CAP_NET_BIND_SERVICE = 1 << 10  # linux/capability.h
SERVICES_PASSWORD = "services-password"
PROFILES = "".join(
    f"{name:>25}\tprofile\tsip:mod_sofia@127.0.0.1:5060\tRUNNING (0)\n"
    for name in ("nat_gateway", "nat_instance", "uac_nat_instance")
)
"""The lines of `sofia status` that tell of profiles."""


@pytest.fixture
def account(aws: str) -> str:
    """The URL of an AWS account with the parameter and the bucket of a switch."""
    keys: Any = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    place: Any = {"endpoint_url": aws, "region_name": servers.REGION, **keys}
    boto3.client("ssm", **place).put_parameter(Name=PASSWORD_PARAMETER, Value=SERVICES_PASSWORD, Type="SecureString")
    region: Any = {"LocationConstraint": servers.REGION}
    boto3.client("s3", **place).create_bucket(Bucket=BUCKET, CreateBucketConfiguration=region)
    return aws


@pytest.fixture
def platform() -> Iterator[CallPlatform]:
    """The call platform."""
    with CallPlatform("services", SERVICES_PASSWORD) as platform:
        yield platform


# --- the proxy


@pytest.fixture
def port_80() -> int:
    """Port 80, if it is free: this machine's, since the container has no network of its own."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", 80))
        except OSError as error:
            pytest.skip(f"port 80 of this machine: {error}")
    return 80


def test_the_proxy(store: ImageStore, port_80: int, tmp_path: Path) -> None:
    with CustomerServer() as app:
        app.reply("/calls", Reply("the app's"))
        app_port = urlsplit(app.url).port or 0
        with make_proxy(store, tmp_path / "log", app_port, port_80) as proxy:
            proxy.wait_until_healthy()
            assert proxy.owner() == 508
            assert capabilities(proxy) == CAP_NET_BIND_SERVICE
            assert ask("GET", port_80) == (200, "the app's")
            assert ask("PROPFIND", port_80)[0] == 405
            assert [request.method for request in app.requests] == ["GET"]
            assert proxy.stop() == 0, proxy.log()
    assert '"method":"GET","path":"/calls","status":200' in proxy.log()
    assert "[error]" not in proxy.log()


def capabilities(container: Container) -> int:
    """Return what a container's first process may that users may not."""
    (line,) = [
        line
        for line in Path(f"/proc/{container.first_process()}/status").read_text().splitlines()
        if line.startswith("CapEff:")
    ]
    return int(line.split()[1], 16)


def ask(method: str, port: int) -> tuple[int, str]:
    """Return how a request for /calls is answered."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, "/calls")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


# --- the app and the event logger


async def test_the_app(store: ImageStore, account: str, platform: CallPlatform, tmp_path: Path) -> None:
    answers = {"status": "FreeSWITCH (Version 1.10.12) is ready\n", "sofia status": PROFILES}
    async with FakeFreeSwitch() as free_switch:
        free_switch.answer = lambda command: answers.get(command, "+OK")
        switch = SwitchContainers(
            store,
            tmp_path,
            event_socket=f"127.0.0.1:{free_switch.port}",
            event_socket_password=free_switch.password,
            app=f"127.0.0.1:{servers.free_port()}",
            aws=account,
            platform=platform.url,
        )
        with switch.make_app() as app:
            await asyncio.to_thread(app.wait_until_healthy)
            assert app.owner() == USER
            assert capabilities(app) == 0
            assert (switch.storage / "media_streams").stat().st_uid == USER
            answers["sofia status"] = ""
            assert (await asyncio.to_thread(app.health)).returncode == 1
            assert await asyncio.to_thread(app.stop) == 0, app.log()


def test_the_event_logger(store: ImageStore, account: str, platform: CallPlatform, tmp_path: Path) -> None:
    with EventSocket("127.0.0.1", 0) as event_socket:
        switch = SwitchContainers(
            store,
            tmp_path,
            event_socket=f"127.0.0.1:{event_socket.port}",
            event_socket_password=event_socket.password,
            app="127.0.0.1:8084",
            aws=account,
            platform=platform.url,
        )
        with switch.make_event_logger() as logger:
            logger.wait_until_healthy()
            assert logger.owner() == USER
            assert capabilities(logger) == 0
            records = switch.storage / "call_data_records"
            assert records.stat().st_uid == USER
            write_record(records, "1f5c0f5e-3b43-4c0a-9d6d-0d3b7ad2a1c1")
            until("the record", lambda: platform.call_data_records and not list(records.glob("*.json")))
            assert logger.stop() == 0, logger.log()


@pytest.mark.parametrize(
    ("image", "settings", "named"),
    [
        (PROXY, {"APP_ADDRESS": "app"}, "APP_ADDRESS is 'app'"),
        (APP, {}, "AWS_DEFAULT_REGION is not set"),
        (EVENT_LOGGER, {}, "EVENT_SOCKET_PASSWORD is not set"),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_named(
    store: ImageStore, image: str, settings: dict[str, str], named: str, tmp_path: Path
) -> None:
    with Container(store, image, settings, tmp_path / "log") as container:
        assert container.process
        assert container.process.wait(15) == 78
        assert named in container.log()


# --- all of them


@pytest.mark.skipif(freeswitch.BINARY is None, reason=freeswitch.MISSING)
async def test_a_call_through_all_of_them(
    store: ImageStore, account: str, platform: CallPlatform, network: LoopbackNetwork, tmp_path: Path
) -> None:
    """FreeSWITCH's image but for where FreeSWITCH comes from: this machine, and not its makers' repository."""
    (tmp_path / "build").mkdir()
    freeswitch_image.build(store, DEBIAN, tmp_path / "build")
    address, phone_address = network.address(), network.address()
    switch = SwitchContainers(
        store,
        tmp_path,
        event_socket=f"{address}:8021",
        event_socket_password=freeswitch.PASSWORD,
        app=f"{address}:8084",
        aws=account,
        platform=platform.url,
    )
    port = servers.free_port()
    with (
        make_proxy(store, tmp_path / "proxy.log", switch.api_port, port) as proxy,
        switch.make_freeswitch() as free_switch,
        switch.make_app() as app,
        switch.make_event_logger() as logger,
    ):
        containers = (app, proxy, free_switch, logger)
        for container in containers:
            await asyncio.to_thread(container.wait_until_healthy)
        assert [container.owner() for container in containers] == [USER, 508, USER, USER]
        await a_call_through(f"http://127.0.0.1:{port}", platform, phone_address)
        owners = {path.stat().st_uid for volume in (switch.cache, switch.storage) for path in volume.rglob("*")}
        assert owners == {USER}
        for container in containers:
            assert await asyncio.to_thread(container.stop) == 0, container.log()
