"""The page's server: whom it answers, with which headers, and how browsers follow it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from local.live.model import Model
from local.live.rows import Queue
from local.live.server import LiveServer


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
async def server(model: Model) -> AsyncIterator[LiveServer]:
    async with LiveServer(model, None) as served:
        yield served


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as session:
        yield session


async def event(answer: aiohttp.ClientResponse) -> tuple[str, str, Any]:
    """Return the next event: identifier, kind, data."""
    while True:
        block = (await answer.content.readuntil(b"\n\n")).decode()
        fields = dict(line.split(": ", 1) for line in block.strip().splitlines())
        if "event" in fields:
            return fields.get("id", ""), fields["event"], json.loads(fields["data"])


@pytest.mark.parametrize(
    ("path", "kind"),
    [("", "text/html"), ("live.css", "text/css"), ("live.js", "text/javascript"), ("icon.svg", "image/svg+xml")],
)
async def test_the_page(server: LiveServer, browser: aiohttp.ClientSession, path: str, kind: str) -> None:
    async with browser.get(server.url + path) as answer:
        assert answer.status == 200
        assert answer.content_type == kind
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        assert "http" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        text = await answer.text()
    # Nothing is loaded from elsewhere, and nothing is written into the document that the policy would refuse.
    foreign = text.replace("http://www.w3.org/2000/svg", "")
    assert "http:" not in foreign.replace("http://", "http:") or "https://" not in foreign
    assert "//" not in foreign if kind == "image/svg+xml" else "style=" not in text


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", "localhost", "10.0.0.1:{port}"]
)
@pytest.mark.parametrize("path", ["", "events", "live.js", "nothing"])
async def test_a_name_that_was_made_to_lead_here_is_refused(
    server: LiveServer, browser: aiohttp.ClientSession, host: str, path: str
) -> None:
    port = server.url.rsplit(":", 1)[1].strip("/")
    async with browser.get(server.url + path, headers={"Host": host.format(port=port)}) as answer:
        assert answer.status == 421
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_localhost_is_this_machine(server: LiveServer, browser: aiohttp.ClientSession) -> None:
    async with browser.get(server.url, headers={"Host": server.url[7:-1].replace("127.0.0.1", "localhost")}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", ["", "events"])
async def test_only_reading(server: LiveServer, browser: aiohttp.ClientSession, method: str, path: str) -> None:
    async with browser.request(method, server.url + path) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET")


async def test_other_sites_may_not_read_and_other_paths_are_not_there(
    server: LiveServer, browser: aiohttp.ClientSession
) -> None:
    async with browser.get(server.url + "events", headers={"Sec-Fetch-Site": "cross-site"}) as answer:
        assert answer.status == 403
    for path in ("../sources.json", "page/index.html", "state", "%2e%2e/sources.py"):
        async with browser.get(server.url + path) as answer:
            assert answer.status == 404


async def test_it_listens_on_loopback_alone(server: LiveServer) -> None:
    assert server._runner is not None
    assert [address[0] for address in server._runner.addresses] == ["127.0.0.1"]


async def test_what_changes_is_told_and_who_comes_back_misses_nothing(
    server: LiveServer, browser: aiohttp.ClientSession, model: Model
) -> None:
    model.put("jobs", Queue("jobs", 0, 0))
    async with browser.get(server.url + "events") as answer:
        assert answer.content_type == "text/event-stream"
        _, kind, data = await event(answer)
        assert kind == "snapshot"
        assert data["rows"]["queues"] == {"jobs": {"name": "jobs", "waiting": 0, "in_flight": 0}}
        for waiting in (1, 2):
            model.put("jobs", Queue("jobs", waiting, 0))
            while True:
                last, kind, data = await event(answer)
                if data.get("put", {}).get("queues", {}).get("jobs", {}).get("waiting") == waiting:
                    break
    model.put("jobs", Queue("jobs", 3, 0))
    async with browser.get(server.url + "events", headers={"Last-Event-ID": last}) as answer:
        _, kind, data = await event(answer)
        assert (kind, data["put"]["queues"]["jobs"]["waiting"]) == ("patch", 3)
    async with browser.get(server.url + "events", headers={"Last-Event-ID": "other-1"}) as answer:
        assert (await event(answer))[1] == "snapshot"


async def test_one_that_does_not_read_is_cut_off_and_its_memory_freed(server: LiveServer, model: Model) -> None:
    port = int(server.url.rsplit(":", 1)[1].strip("/"))
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    writer.write(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    await reader.readuntil(b"snapshot")
    for number in range(3_000):
        for key in range(20):
            model.put(str(key), Queue("x" * 5_000, number, 0))
        patch = model.take()
        assert patch is not None
        server._feed.publish(patch)
        await asyncio.sleep(0)
        if len(server._feed) == 0:
            break
    assert len(server._feed) == 0
    writer.close()


async def test_no_more_pages_than_it_bears(server: LiveServer, browser: aiohttp.ClientSession) -> None:
    answers = [await browser.get(server.url + "events") for _ in range(16)]
    async with browser.get(server.url + "events") as refused:
        assert refused.status == 503
    answers.pop().close()
    for _ in range(100):
        if len(server._feed) < 16:
            break
        await asyncio.sleep(0.02)
    async with browser.get(server.url + "events") as answer:
        assert answer.status == 200
    for each in answers:
        each.close()
