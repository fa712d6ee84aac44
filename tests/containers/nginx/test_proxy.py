"""The reverse proxy, as nginx has it, in front of the real HTTP API and of a server that shows what it gets."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from local.containers.nginx import PROGRAM, nginx
from tests.containers.switch_app.switch import CALL, PASSWORD, USERNAME, running_switch

FOLDER = Path(__file__).resolve().parents[3] / "containers" / "nginx"

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="the program 'nginx' is not installed")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def proxying(app_port: int, state: Path, **settings: str) -> AsyncIterator[tuple[str, Path]]:
    """Run nginx in front of a port; give its URL and the file with its logs."""
    port, log = free_port(), state / "log"
    own = {"TRUSTED_PROXIES": "127.0.0.0/8", **settings}
    container = nginx(state, "127.0.0.1", port, f"127.0.0.1:{app_port}", own)
    environment = container.environment
    check, quiet = [FOLDER / "healthcheck.sh"], {"capture_output": True, "check": False, "timeout": 10}
    with log.open("ab") as output:
        process = subprocess.Popen(container.command, env=environment, stdout=output, stderr=output)
        try:
            async with asyncio.timeout(10):
                # Not merely a connection: nginx listens for a moment while it checks its configuration.
                while (await asyncio.to_thread(subprocess.run, check, env=environment, **quiet)).returncode != 0:
                    assert process.poll() is None, log.read_text()
            yield f"http://127.0.0.1:{port}", log
        finally:
            process.terminate()
            assert process.wait(10) == 0


@contextlib.asynccontextmanager
async def showing() -> AsyncIterator[tuple[int, list[dict[str, Any]]]]:
    """Run a server that answers everything and keeps what it got; give its port."""
    got: list[dict[str, Any]] = []

    async def show(request: web.Request) -> web.Response:
        body = await request.read()
        got.append({"method": request.method, "headers": dict(request.headers), "size": len(body)})
        if request.path == "/slow":
            await asyncio.sleep(3)
        return web.Response(text="shown")

    application = web.Application(client_max_size=10**7)
    application.router.add_route("*", "/{path:.*}", show)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1], got
    finally:
        await runner.cleanup()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


async def test_the_api_behind_it(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    headers = {"Authorization": aiohttp.encode_basic_auth(USERNAME, PASSWORD)}
    async with running_switch() as switch, proxying(int(switch.url.rpartition(":")[2]), tmp_path) as (url, _):
        async with http.post(f"{url}/calls", json=dict(CALL), headers=headers) as response:
            assert response.status == 200
            channel = (await response.json())["id"]
        new = {"twiml": "<Response/>"}
        async with http.patch(f"{url}/calls/{channel}", json=new, headers=headers) as response:
            assert response.status == 204
        async with http.delete(f"{url}/calls/{channel}", json={}, headers=headers) as response:
            assert response.status == 204
        async with http.post(f"{url}/calls", json=dict(CALL)) as response:
            assert response.status == 401
            assert response.headers["WWW-Authenticate"] == 'Basic realm="Protected Area"'
        async with http.get(f"{url}/health_checks") as response:
            assert response.status == 200
        switch.telephony.down = "not connected"
        async with http.get(f"{url}/health_checks") as response:
            assert response.status == 500


async def test_methods(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    async with showing() as (port, got), proxying(port, tmp_path) as (url, _):
        for method in ("GET", "POST", "HEAD", "PATCH", "PUT", "DELETE"):
            async with http.request(method, f"{url}/calls") as response:
                assert response.status == 200, method
        for method in ("OPTIONS", "TRACE", "PROPFIND", "MKCOL", "LOCK", "FOO"):
            async with http.request(method, f"{url}/calls") as response:
                assert response.status == 405, method
    assert [request["method"] for request in got] == ["GET", "POST", "HEAD", "PATCH", "PUT", "DELETE"]


async def test_a_body_may_be_as_large_as_the_app_takes_and_no_larger(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async with showing() as (port, got), proxying(port, tmp_path) as (url, _):
        async with http.post(f"{url}/calls", data=b"x" * 512 * 1024) as response:
            assert response.status == 200
        async with http.post(f"{url}/calls", data=b"x" * (512 * 1024 + 1)) as response:
            assert response.status == 413
    assert [request["size"] for request in got] == [512 * 1024]


async def test_a_load_balancer_is_believed_and_nobody_else(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    forwarded = {"X-Forwarded-For": "198.51.100.9, 203.0.113.5"}
    async with showing() as (port, got):
        (tmp_path / "a").mkdir()
        async with proxying(port, tmp_path / "a") as (url, _):
            await (await http.get(f"{url}/calls", headers=forwarded)).read()
        (tmp_path / "b").mkdir()
        async with proxying(port, tmp_path / "b", TRUSTED_PROXIES="10.0.0.0/8") as (url, _):
            await (await http.get(f"{url}/calls", headers=forwarded)).read()
    assert [request["headers"]["X-Real-IP"] for request in got] == ["203.0.113.5", "127.0.0.1"]
    assert [request["headers"]["X-Forwarded-For"] for request in got] == ["203.0.113.5", "127.0.0.1"]


async def test_a_request_is_logged_without_secrets_and_a_health_check_is_not(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async with showing() as (port, _), proxying(port, tmp_path) as (url, log):
        headers = {"Authorization": "Basic c2VjcmV0", "Referer": "secret-referer"}
        for path in ("/calls?secret=1", "/health_checks", "/nginx_health"):
            await (await http.get(f"{url}{path}", headers=headers)).read()
    (line,) = [line for line in log.read_text().splitlines() if line]
    entry = json.loads(line)
    assert (entry["method"], entry["path"], entry["status"], entry["client"]) == ("GET", "/calls", 200, "127.0.0.1")
    assert "secret" not in line
    assert "c2VjcmV0" not in line


async def test_an_app_that_is_not_there_and_one_that_is_slow(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    (tmp_path / "a").mkdir()
    async with proxying(free_port(), tmp_path / "a") as (url, _), http.get(f"{url}/health_checks") as response:
        assert response.status == 502
    (tmp_path / "b").mkdir()
    async with showing() as (port, got), proxying(port, tmp_path / "b", APP_TIMEOUT="1") as (url, _):
        async with http.post(f"{url}/slow") as response:
            assert response.status == 504
        assert len(got) == 1  # it is not asked twice


async def test_a_network_that_is_none_is_refused(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "NGINX_PROGRAM": str(PROGRAM),
        "STATE_DIRECTORY": str(tmp_path),
        "TRUSTED_PROXIES": "10.0.0.0/99",
    }
    ended = subprocess.run(
        [FOLDER / "entrypoint.sh"], env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == 78
    assert "10.0.0.0/99" in ended.stderr
