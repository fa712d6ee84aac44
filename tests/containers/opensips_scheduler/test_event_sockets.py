"""Only switches whose event socket answers are a source of statistics; the others stay targets."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from opensips_scheduler import schema
from opensips_scheduler.event_sockets import MISSES_ALLOWED, EventSockets, ask
from opensips_scheduler.routing_database import RoutingDatabase
from opensips_scheduler.rows import RowBuilder
from routing import ChangeSet, Table
from tests.containers.opensips_scheduler.conftest import PASSWORD, target
from tests.fakes.event_socket import EventSocket
from tests.support.loopback import LoopbackNetwork
from tests.support.silent_host import SilentHost

FIRST, SECOND = "10.0.0.1:8021", "10.0.0.2:8021"


class Network:
    """Switches of which some answer."""

    def __init__(self) -> None:
        self.answering: set[str] = set()

    def ask(self, sockets: Iterable[str]) -> set[str]:
        return set(sockets) & self.answering


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    schema.create_routing_database(tmp_path / "routing.db")
    return tmp_path / "routing.db"


def made(path: Path, network: Network) -> tuple[EventSockets, RowBuilder]:
    event_sockets = EventSockets(path, network.ask)
    return event_sockets, RowBuilder(PASSWORD, event_sockets.answers)


def put(path: Path, rows: RowBuilder, *numbers: int) -> None:
    """Write targets as the follower does."""
    with contextlib.closing(RoutingDatabase(path, rows)) as database:
        records = {target(number).key: target(number) for number in numbers}
        database.apply(ChangeSet(Table.LOAD_BALANCER_TARGETS, 1, records, frozenset()))


def resources(path: Path) -> list[str]:
    with contextlib.closing(schema.connect(path)) as connection:
        return [row for (row,) in connection.execute("SELECT resources FROM load_balancer ORDER BY dst_uri")]


def test_a_new_target_has_no_statistics_until_its_switch_answers(path: Path, network: Network) -> None:
    event_sockets, rows = made(path, network)
    put(path, rows, 1, 2)
    assert resources(path) == ["gw=0", "gw=0"]
    network.answering = {SECOND}
    assert event_sockets.check(rows.resources)
    assert resources(path) == ["gw=0", f"gw=fs://:{PASSWORD}@{SECOND}"]
    assert event_sockets.silent == {FIRST}
    assert not event_sockets.check(rows.resources)


def test_a_switch_loses_its_statistics_after_some_misses_in_a_row_and_gets_them_back(
    path: Path, network: Network
) -> None:
    event_sockets, rows = made(path, network)
    put(path, rows, 1)
    network.answering = {FIRST}
    event_sockets.check(rows.resources)
    for _ in range(2):
        network.answering = set()
        assert not any(event_sockets.check(rows.resources) for _ in range(MISSES_ALLOWED - 1))
        network.answering = {FIRST}
        assert not event_sockets.check(rows.resources)
    network.answering = set()
    assert [event_sockets.check(rows.resources) for _ in range(MISSES_ALLOWED)][-1]
    assert resources(path) == ["gw=0"]
    network.answering = {FIRST}
    assert event_sockets.check(rows.resources)
    assert resources(path) == [f"gw=fs://:{PASSWORD}@{FIRST}"]


def test_a_restart_of_the_scheduler_changes_no_target(path: Path, network: Network) -> None:
    event_sockets, rows = made(path, network)
    put(path, rows, 1, 2)
    network.answering = {FIRST}
    event_sockets.check(rows.resources)
    before = resources(path)
    event_sockets, rows = made(path, network)
    put(path, rows, 1, 2)
    assert resources(path) == before
    assert not event_sockets.check(rows.resources)


def test_what_the_follower_wrote_meanwhile_is_set_right_with_the_next_look(path: Path, network: Network) -> None:
    event_sockets, rows = made(path, network)
    network.answering = {FIRST}
    put(path, RowBuilder(PASSWORD, lambda _: False), 1)
    event_sockets.check(rows.resources)
    put(path, RowBuilder(PASSWORD, lambda _: False), 1)
    assert event_sockets.check(rows.resources)
    assert resources(path) == [f"gw=fs://:{PASSWORD}@{FIRST}"]


def test_without_targets_nobody_is_asked(path: Path, network: Network) -> None:
    event_sockets, rows = made(path, network)
    assert not event_sockets.check(rows.resources)


@pytest.fixture
def silent() -> Iterator[str]:
    """A host that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def test_a_switch_answers_beside_one_that_is_silent_one_that_is_dead_and_one_that_refuses(silent: str) -> None:
    with EventSocket(LoopbackNetwork().address()) as switch, SilentHost("127.0.0.1") as dead:
        answering = f"{switch.address}:{switch.port}"
        began = time.monotonic()
        assert ask([answering, silent, f"127.0.0.1:{dead.port}", "127.0.0.1:1"], 0.3) == {answering}
        assert time.monotonic() - began < 1


def test_a_greeting_that_comes_in_pieces_is_one_and_a_rejection_is_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"

        def serve(*pieces: bytes) -> None:
            with listener.accept()[0] as connection:
                for piece in pieces:
                    connection.sendall(piece)
                    time.sleep(0.05)

        for pieces, expected in (
            ((b"Content-Type: auth", b"/request\n\n"), {address}),
            ((b"Content-Type: text/rude-rejection\n", b"Content-Length: 24\n\nAccess Denied, go away.\n"), set()),
        ):
            thread = threading.Thread(target=serve, args=pieces)
            thread.start()
            assert ask([address], 2) == expected
            thread.join()
