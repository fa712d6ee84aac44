"""A file that is damaged or lost while both run is made anew, and OpenSIPS is started with it."""

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opensips_scheduler import schema
from routing import (
    Address,
    PutAddress,
    PutTaskRow,
    Registration,
    RegistrationReader,
    RegistrationWriter,
    RoutingRepository,
    TaskStamp,
    contact_id,
)
from tests.containers.opensips_scheduler.conftest import target
from tests.containers.opensips_scheduler.process.conftest import Supervisor
from tests.support.routing_tables import NAMES
from tests.support.scheduler import NAME, Sidecar
from tests.support.waiting import until

STAMP = TaskStamp("task-a", 3, 1_000)
Harm = Callable[[Path], object]


def overwrite(path: Path) -> None:
    path.write_bytes(os.urandom(30_000))


@pytest.mark.parametrize("harm", [Path.unlink, overwrite])
def test_a_lost_routing_database_is_copied_anew(
    repository: RoutingRepository,
    sidecar: Callable[..., Sidecar],
    supervised: Callable[[str], Supervisor],
    directory: Path,
    harm: Harm,
) -> None:
    repository.write([PutTaskRow(target(1), STAMP), PutAddress(Address("192.0.2.0/28", 2), 1)])
    supervisor = supervised("public")
    opensips = supervisor.opensips
    with sidecar() as scheduler:
        until("the first copy", lambda: opensips.running and scheduler.health()["reloads_due"] == [])
        harm(directory / "routing.db")
        until("OpenSIPS to be started anew", lambda: supervisor.starts == 2 and opensips.running, 15)
        assert [each["uri"] for each in opensips._targets] == ["sip:10.0.0.1:5060"]
        assert not schema.is_corrupt(directory / "routing.db")
        repository.write([PutTaskRow(target(2), STAMP)])
        until("what is written later", lambda: len(opensips._targets) == 2)
        until("all to be well", lambda: scheduler.health().get("errors") == {})
        assert scheduler.stop() == 0


@pytest.mark.parametrize("harm", [Path.unlink, overwrite])
def test_a_lost_gateway_database_has_its_contacts_restored(
    dynamodb: Any,
    sidecar: Callable[..., Sidecar],
    supervised: Callable[[str], Supervisor],
    directory: Path,
    harm: Harm,
) -> None:
    now = int(time.time())
    identifier = contact_id(NAME, "user1", "sip:1")
    contact = Registration(
        "user1", identifier, "sip:1", "udp:10.0.0.9:5060", gateway=NAME, last_modified=now, expires=now + 600
    )
    RegistrationWriter(dynamodb, NAMES).write({("user1", identifier): contact})
    supervisor = supervised("client")
    with sidecar("client") as scheduler:
        until("the first copy", lambda: supervisor.opensips.running and scheduler.health()["reloads_due"] == [])
        assert _contacts(directory) == [("user1", "sip:1")]
        reader = RegistrationReader(dynamodb, NAMES)
        here = "udp:127.0.0.1:5060"
        until("the new socket", lambda: [each.socket for each in reader.current_contacts("user1", now)] == [here])
        harm(directory / "gateway.db")
        until("OpenSIPS to be started anew", lambda: supervisor.starts == 2 and supervisor.opensips.running, 15)
        assert _contacts(directory) == [("user1", "sip:1")]
        assert len(reader.current_contacts("user1", now)) == 1


def _contacts(directory: Path) -> list[tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(directory / "gateway.db")) as connection:
        return connection.execute("SELECT username, contact FROM location").fetchall()


def test_a_corrupt_file_at_the_start_ends_the_opensips_that_has_it_open(
    sidecar: Callable[..., Sidecar], supervised: Callable[[str], Supervisor], directory: Path
) -> None:
    supervisor = supervised("public")
    with sidecar():
        until("the first copy", lambda: supervisor.opensips.running)
    overwrite(directory / "routing.db")
    with sidecar() as successor:
        until("OpenSIPS to be started anew", lambda: supervisor.starts == 2 and supervisor.opensips.running)
        until("all to be well", lambda: successor.health().get("errors") == {})
    assert (directory / "routing.db.corrupt").exists()
