"""What the scheduler relies on in OpenSIPS: asked of the stand-in always, of OpenSIPS itself where it is installed."""

import contextlib
import os
import select
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opensips_scheduler import schema
from opensips_scheduler.errors import ManagementError, NotRunning, Unreachable
from opensips_scheduler.loaded_rows import LOADED
from opensips_scheduler.management_interface import ManagementInterface
from opensips_scheduler.management_pipe import ManagementPipe
from opensips_scheduler.opensips_statistics import STATISTICS
from opensips_scheduler.settings import Kind
from routing import Table
from tests.fakes.opensips import FakeOpensips
from tests.support import opensips
from tests.support.loopback import LoopbackNetwork


class Peer:
    """An OpenSIPS of either sort."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.datagrams = ManagementInterface(directory / "mi.sock", directory / "mi-test.sock")
        self.pipe = ManagementPipe(directory / "mi.fifo", directory / "mi-test")

    def write(self, statement: str, rows: list[tuple[object, ...]]) -> None:
        connection = sqlite3.connect(self.directory / "routing.db")
        with connection:
            connection.executemany(statement, rows)
        connection.close()

    def loaded(self, table: Table) -> set[tuple[str, str]]:
        found = LOADED[table]
        return {row for dump in found.dumps for row in found.parse(self.pipe.call(dump))}

    def written(self, table: Table) -> set[tuple[str, str]]:
        connection = schema.connect(self.directory / "routing.db")
        try:
            return LOADED[table].of_file(connection)
        finally:
            connection.close()


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory with a short path: a Unix socket's may have 107 characters."""
    path = Path(tempfile.mkdtemp(prefix="contract-"))
    yield path
    shutil.rmtree(path)


def start(which: str, kind: str, directory: Path) -> Any:
    if which == "fake":
        schema.create_routing_database(directory / "routing.db")
        return FakeOpensips(directory, kind)
    return opensips.Gateway(kind, directory, LoopbackNetwork().address(), {"PROBE_INTERVAL": "3600"})


@pytest.fixture(
    params=[
        "fake",
        pytest.param(
            "opensips", marks=[pytest.mark.e2e, pytest.mark.skipif(opensips.BINARY is None, reason=opensips.MISSING)]
        ),
    ]
)
def which(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def public(which: str, directory: Path) -> Iterator[Peer]:
    with start(which, "public", directory):
        yield Peer(directory)


@pytest.fixture
def client(which: str, directory: Path) -> Iterator[Peer]:
    with start(which, "client", directory):
        yield Peer(directory)


def test_it_tells_since_when_it_is_up(public: Peer) -> None:
    for way in (public.datagrams, public.pipe):
        assert way.call("uptime")["Up since"] == public.datagrams.call("uptime")["Up since"]


def test_a_command_that_it_does_not_know_is_refused(public: Peer) -> None:
    for way in (public.datagrams, public.pipe):
        with pytest.raises(ManagementError, match="nope: -32601"):
            way.call("nope")


def test_targets_are_loaded_and_a_resource_that_is_none_is_dropped_with_an_ok(public: Peer) -> None:
    rows = [("sip:10.0.0.1:5060", "gw"), ("sip:10.0.0.2:5060", "gw=0"), ("sip:[2001:db8::1]:5060", "gwalt=0")]
    public.write("INSERT INTO load_balancer (group_id, dst_uri, resources, probe_mode) VALUES (2, ?, ?, 2)", rows)
    assert public.loaded(Table.LOAD_BALANCER_TARGETS) == set()
    assert public.datagrams.call("lb_reload") == "OK"
    assert public.loaded(Table.LOAD_BALANCER_TARGETS) == {
        ("sip:10.0.0.2:5060", "group 2, resource gw"),
        ("sip:[2001:db8::1]:5060", "group 2, resource gwalt"),
    }
    assert len(public.written(Table.LOAD_BALANCER_TARGETS)) == 3


def test_addresses_are_loaded_and_what_is_none_is_dropped_with_an_ok(public: Peer) -> None:
    rows = [
        ("192.0.2.1", 32),
        ("192.0.2.16", 28),
        ("2001:db8:0:1::", 64),
        ("2001:db8::1", 128),
        ("999.0.2.1", 32),
        ("192.0.2.2", 99),
    ]
    public.write("INSERT INTO address (ip, mask, grp) VALUES (?, ?, 3)", rows)
    assert public.datagrams.call("address_reload") == "OK"
    networks = ("192.0.2.1/32", "192.0.2.16/28", "2001:db8:0:1::/64", "2001:db8::1/128")
    assert public.loaded(Table.ADDRESSES) == {(each, "group 3") for each in networks}


def test_an_answer_that_no_datagram_holds_comes_through_the_pipe(public: Peer) -> None:
    addresses = [(f"10.{number >> 8}.{number & 255}.1",) for number in range(10_000)]
    public.write("INSERT INTO address (ip, mask, grp) VALUES (?, 32, 1)", addresses)
    public.datagrams.call("address_reload")
    with pytest.raises(ManagementError, match="cut off"):
        public.datagrams.call("address_dump")
    assert public.loaded(Table.ADDRESSES) == public.written(Table.ADDRESSES)
    assert len(public.loaded(Table.ADDRESSES)) == 10_000


def test_who_stops_reading_does_not_end_the_pipe(public: Peer) -> None:
    public.write(
        "INSERT INTO address (ip, mask, grp) VALUES (?, 32, 1)", [(f"10.0.{n >> 8}.{n & 255}",) for n in range(5_000)]
    )
    public.datagrams.call("address_reload")
    os.mkfifo(public.directory / "quitter")
    reader = os.open(public.directory / "quitter", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(public.directory / "mi.fifo", os.O_WRONLY)
    os.write(writer, b':quitter:{"jsonrpc":"2.0","id":1,"method":"address_dump"}\n')
    os.close(writer)
    assert select.select([reader], [], [], 5)[0]
    os.read(reader, 1000)
    os.close(reader)
    assert len(public.loaded(Table.ADDRESSES)) == 5_000


def test_who_is_gone_before_the_answer_holds_the_pipe_up_for_less_than_a_second(public: Peer) -> None:
    os.mkfifo(public.directory / "gone")
    writer = os.open(public.directory / "mi.fifo", os.O_WRONLY)
    os.write(writer, b':gone:{"jsonrpc":"2.0","id":1,"method":"lb_list"}\n')
    os.close(writer)
    began = time.monotonic()
    assert public.pipe.call("uptime")
    assert time.monotonic() - began < 1


def test_domains_are_loaded(client: Peer) -> None:
    client.write("INSERT INTO domain (domain) VALUES (?)", [("sip.example.org",), ("203.0.113.7",)])
    client.datagrams.call("domain_reload")
    assert client.loaded(Table.DOMAINS) == {("sip.example.org", ""), ("203.0.113.7", "")}


def test_media_proxies_are_loaded_with_the_first_reload(client: Peer) -> None:
    assert client.loaded(Table.MEDIA_PROXIES) == set()
    assert not client.datagrams.call("rtpengine_show")
    rows = [("udp:127.0.0.1:1", 0), ("udp:127.0.0.1:1", 1)]
    client.write("INSERT INTO rtpengine (socket, set_id) VALUES (?, ?)", rows)
    client.datagrams.call("rtpengine_reload")
    assert client.loaded(Table.MEDIA_PROXIES) == {("udp:127.0.0.1:1", "set 0"), ("udp:127.0.0.1:1", "set 1")}
    assert client.datagrams.call("rtpengine_show")


@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_refused_is_counted(kind: Kind, which: str, directory: Path) -> None:
    with start(which, kind.value, directory):
        found = Peer(directory).datagrams.call("get_statistics", {"statistics": list(STATISTICS[kind])})
        assert found == {f"script:{name}": 0 for name in STATISTICS[kind]}


def test_it_ends_when_it_is_told_to_mostly_without_an_answer(public: Peer) -> None:
    hasty = ManagementInterface(public.directory / "mi.sock", public.directory / "mi-hasty.sock", 0.5)
    with contextlib.suppress(Unreachable):
        hasty.call("kill")
    deadline = time.monotonic() + 10
    while True:
        try:
            hasty.call("uptime")
        except NotRunning:
            break
        except Unreachable:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with pytest.raises(NotRunning):
        public.pipe.call("uptime")
