"""The HTTP client for strangers' URLs, against a server that does what it should not."""

import asyncio
import gzip
import socket
import threading
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_network
from typing import Any

import pytest
from yarl import URL

from switch_app.errors import FetchFailed
from switch_app.http.public_client import PublicClient, Request, parse_url, pieces
from tests.fakes.customer_server import CustomerServer, Reply, redirect

LOOPBACK = [ip_network("127.0.0.0/8")]


@pytest.fixture
def server() -> Iterator[CustomerServer]:
    with CustomerServer() as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[PublicClient]:
    client = PublicClient(allowed=LOOPBACK, seconds=2.0)
    yield client
    await client.close()


async def get(client: PublicClient, url: str, maximum: int = 1000, method: str = "GET") -> tuple[int, bytes, str]:
    body = b"a=b" if method == "POST" else None
    async with client.fetch(Request(method, parse_url(url), lambda *_: {}, body)) as response:
        content = b"".join([piece async for piece in pieces(response, maximum)])
        return response.status, content, str(response.url)


async def test_redirects_are_followed_with_the_methods_of_a_browser(
    client: PublicClient, server: CustomerServer
) -> None:
    end = server.reply("/end", Reply("found"))
    for status, method in [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")]:
        server.requests.clear()
        start = server.reply("/start", redirect("/end", status))
        assert await get(client, start, method="POST") == (200, b"found", end)
        assert [(request.method, request.body) for request in server.requests] == [
            ("POST", b"a=b"),
            (method, b"a=b" if method == "POST" else b""),
        ]


async def test_redirects_end_somewhere(client: PublicClient, server: CustomerServer) -> None:
    url = server.reply("/loop", redirect("/loop"))
    with pytest.raises(FetchFailed, match="more than 10 times"):
        await get(client, url)
    assert len(server.requests) == 11


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f.1:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://0.0.0.0:{port}/",
        "http://169.254.169.254/latest/meta-data/",
    ],
)
async def test_the_inside_is_out_of_reach_however_it_is_spelt(server: CustomerServer, url: str) -> None:
    server.reply("/", Reply("secret"))
    client = PublicClient(seconds=2.0)
    try:
        with pytest.raises(FetchFailed):
            await get(client, url.format(port=server.url.rpartition(":")[2]))
    finally:
        await client.close()
    assert server.requests == []


async def test_a_redirect_into_the_inside_is_refused(server: CustomerServer) -> None:
    client = PublicClient(allowed=[ip_network("127.0.0.1/32")], seconds=2.0)
    url = server.reply("/", redirect("http://127.0.0.2/secret"))
    try:
        with pytest.raises(FetchFailed, match=r"leads to 127\.0\.0\.2, which is not a public address"):
            await get(client, url)
    finally:
        await client.close()


async def test_a_name_that_changes_its_address_is_judged_by_the_one_connected_to(
    server: CustomerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the first answer is public, whatever asks next gets the loopback."""
    port = int(server.url.rpartition(":")[2])

    def rebind(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebind)
    client = PublicClient(seconds=2.0)
    try:
        with pytest.raises(FetchFailed, match="not a public address"):
            await get(client, f"http://rebinding.example:{port}/")
    finally:
        await client.close()
    assert server.requests == []


@pytest.mark.parametrize(
    "url", ["ftp://example.com/a", "file:///etc/passwd", "/relative", "http:///a", "", "http://[1"]
)
async def test_what_is_no_web_url_is_refused(client: PublicClient, url: str) -> None:
    with pytest.raises(FetchFailed):
        await get(client, url)


async def test_a_body_is_bounded_with_and_without_a_length(client: PublicClient, server: CustomerServer) -> None:
    with pytest.raises(FetchFailed, match="has 1001 bytes, more than 1000"):
        await get(client, server.reply("/long", Reply(b"x" * 1001)))
    with pytest.raises(FetchFailed, match="more than 1000 bytes"):
        await get(client, server.reply("/endless", Reply(b"x" * 100, endless=True)))
    assert (await get(client, server.reply("/right", Reply(b"x" * 1000))))[1] == b"x" * 1000


async def test_a_small_body_cannot_become_a_large_one(client: PublicClient, server: CustomerServer) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    url = server.reply("/bomb", Reply(bomb, headers=[("Content-Encoding", "gzip")]))
    tracemalloc.start()
    try:
        with pytest.raises(FetchFailed, match="more than 100000 bytes"):
            await get(client, url, maximum=100_000)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


async def test_names_that_nobody_answers_for_do_not_keep_others_waiting(
    client: PublicClient, server: CustomerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.reply("/", Reply("there")).replace("127.0.0.1", "localhost")
    released = threading.Event()
    look_up = socket.getaddrinfo

    def slow(host: str, *arguments: Any, **named: Any) -> Any:
        if host == "dead.example":
            released.wait(5)
            raise socket.gaierror("no answer")
        return look_up(host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    dead = [asyncio.create_task(get(client, f"http://dead.example/{number}")) for number in range(30)]
    await asyncio.sleep(0.05)
    try:
        async with asyncio.timeout(1):
            assert (await get(client, url))[1] == b"there"
            assert await asyncio.to_thread(lambda: True)
    finally:
        released.set()
        results = await asyncio.gather(*dead, return_exceptions=True)
    assert all(isinstance(result, FetchFailed) for result in results)


async def test_time_is_bounded_over_the_whole_body(server: CustomerServer) -> None:
    client = PublicClient(allowed=LOOPBACK, seconds=0.3)
    url = server.reply("/slow", Reply(b"x" * 100, pause=0.1))
    begun = time.monotonic()
    try:
        with pytest.raises(FetchFailed, match=r"more than 0\.3 seconds"):
            await get(client, url)
    finally:
        await client.close()
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_broken_connection_is_tried_once_again(
    client: PublicClient, server: CustomerServer, method: str
) -> None:
    url = server.reply("/", Reply(broken=True), Reply("there"))
    assert (await get(client, url, method=method))[1] == b"there"
    server.reply("/", Reply(broken=True))
    server.requests.clear()
    with pytest.raises(FetchFailed, match="cannot be fetched"):
        await get(client, url, method=method)
    assert len(server.requests) == 2


async def test_a_server_that_is_not_there_is_told(client: PublicClient) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(FetchFailed, match="cannot be fetched"):
        await get(client, f"http://127.0.0.1:{port}/")


async def test_a_message_has_neither_password_nor_query(client: PublicClient, server: CustomerServer) -> None:
    url = server.reply("/long", Reply(b"x" * 1001)).replace("http://", "http://user:secret@") + "?Digits=1234"
    with pytest.raises(FetchFailed) as raised:
        await get(client, url)
    assert "secret" not in str(raised.value)
    assert "1234" not in str(raised.value)
    assert server.requests[0].headers["authorization"].startswith("Basic ")


def test_a_url_loses_its_fragment_and_its_spaces() -> None:
    assert parse_url(" https://example.com/a b#c ") == URL("https://example.com/a%20b")
