"""Each gateway's task is granted what its scheduler does: its requests on an emulated DynamoDB against its role's."""

import time
from pathlib import Path
from typing import Any

import pytest

from opensips_scheduler import schema
from opensips_scheduler.scheduler import Scheduler
from opensips_scheduler.settings import Settings
from routing import (
    Address,
    Domain,
    MediaProxy,
    PutAddress,
    PutSubscriber,
    PutTaskRow,
    RoutingRepository,
    Subscriber,
    Table,
    TaskStamp,
)
from tests.cdk.conftest import Templates
from tests.cdk.permissions import granted
from tests.cdk.used_actions import Action, actions_of
from tests.containers.opensips_scheduler.conftest import target
from tests.support import routing_tables
from tests.support.routing_tables import ENVIRONMENT, NAMES
from tests.support.waiting import until

CONSTRUCTS = {NAMES[table]: f"Tables{table.value.title().replace('_', '')}" for table in Table}
PROXIES_READ = (CONSTRUCTS[NAMES[Table.MEDIA_PROXIES]], "dynamodb:Scan")
STAMP = TaskStamp("task-a", 3, 1_000)


def write(dynamodb: Any, number: int) -> None:
    """Write a row of every table that the services function writes."""
    digests = {"ha1": "1" * 32, "ha1_sha256": "2" * 64, "ha1_sha512t256": "3" * 64}
    RoutingRepository(dynamodb, NAMES).write(
        [
            PutTaskRow(target(number), STAMP),
            PutTaskRow(Domain(f"192.0.2.{number}", STAMP), STAMP),
            PutTaskRow(MediaProxy(f"udp:127.0.0.{number}:9", 0, STAMP), STAMP),
            PutAddress(Address(f"203.0.113.{number}", 1), number),
            PutSubscriber(Subscriber(f"user{number}", **digests), number),
        ]
    )


def register(directory: Path) -> None:
    """Write a contact as OpenSIPS does."""
    connection = schema.connect(directory / "gateway.db")
    connection.execute(
        "INSERT INTO location (contact_id, username, contact, socket, user_agent, last_modified, expires, callid, cseq)"
        " VALUES (1, 'user1', 'sip:user1@192.0.2.9', 'udp:10.0.0.1:5060', 'phone', ?, ?, 'call', 1)",
        (time.strftime("%Y-%m-%d %H:%M:%S"), int(time.time()) + 600),
    )
    connection.close()


@pytest.mark.parametrize("kind", ["public", "client"])
def test_a_scheduler_has_the_right_to_all_that_it_does_and_to_nothing_that_it_does_not(
    kind: str, dynamodb: Any, staging: Templates, tmp_path: Path
) -> None:
    used: set[Action] = set()

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        actions = set(actions_of("dynamodb", model.name, params, CONSTRUCTS))
        if PROXIES_READ in actions - used:
            # A table that changes while it is read: the change is read by its key.
            RoutingRepository(dynamodb, NAMES).write([PutTaskRow(MediaProxy("udp:127.0.0.3:9", 0, STAMP), STAMP)])
        used.update(actions)

    client = routing_tables.client()
    client.meta.events.register("provide-client-params.dynamodb", note)
    settings = Settings.from_environment(
        {
            **ENVIRONMENT,
            "GATEWAY_KIND": kind,
            "GATEWAY_NAME": "203.0.113.7",
            "STATE_DIRECTORY": str(tmp_path),
            "SIP_LISTEN_ADDRESS": "10.0.0.1",
            "FS_EVENT_SOCKET_PASSWORD": "password",
            "POLL_INTERVAL": "0.05",
            "HEALTH_PORT": "0",
        }
    )
    scheduler = Scheduler(settings, client)
    write(dynamodb, 1)
    scheduler.start()
    try:
        until("the first copy", (tmp_path / "ready").exists)
        write(dynamodb, 2)
        if kind == "client":
            register(tmp_path)
            until("the contact", lambda: routing_tables.rows(Table.REGISTRATIONS))
        until("the journal to be followed", lambda: all(n >= 2 for n in scheduler.report()["rows"].values()))
    finally:
        scheduler.stop()
    allowed = {
        (next(name for name in CONSTRUCTS.values() if resource.startswith(f"<{name}")), action)
        for resource, actions in granted(staging[f"{kind}-gateway"], "ServiceTaskDefinitionTaskRole").items()
        for action in actions
    }
    assert used == allowed
