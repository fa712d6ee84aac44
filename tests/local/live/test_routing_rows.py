"""The tables as the page reads them: what an operator may know, and of credentials only how many there are."""

from typing import Any

import pytest

from local.live.routing_rows import JournalChange, RoutingRows
from local.live.rows import Domain, MediaProxy, Permission, Registration, Target
from routing import (
    AddPermanentDomain,
    Address,
    DeleteAddress,
    LoadBalancerTarget,
    PutAddress,
    PutSubscriber,
    PutTaskRow,
    RemoveTaskRow,
    RoutingRepository,
    Subscriber,
    Table,
    TaskStamp,
)
from routing import Domain as DomainRecord
from routing import MediaProxy as MediaProxyRecord
from routing import Registration as RegistrationRecord
from routing.attribute_values import encode
from routing.registrations import RegistrationWriter
from tests.support.routing_tables import NAMES

DIGESTS = ("a" * 32, "b" * 64, "c" * 64)
STAMP = TaskStamp("arn:aws:ecs:ap-southeast-1:123456789012:task/somleng-switch/8ec8d7271f8146d2", 3, 1)
TARGET = LoadBalancerTarget("sip:10.0.0.1:5060", 1, "gw", "10.0.0.1:8021", 2, "ap-southeast-1", STAMP)
NOW = 1_000_000


@pytest.fixture
def repository(dynamodb: Any) -> RoutingRepository:
    return RoutingRepository(dynamodb, NAMES)


@pytest.fixture
def tables(dynamodb: Any) -> RoutingRows:
    return RoutingRows(dynamodb, NAMES, lambda: NOW)


def register(dynamodb: Any, username: str, contact: str, expires: int, received: str | None = None) -> None:
    row = RegistrationRecord(
        username, username, contact, "udp:10.0.0.9:5060", received, "agent", "gateway-1", 1, expires
    )
    RegistrationWriter(dynamodb, NAMES).write({(username, username): row})


def test_every_table(repository: RoutingRepository, tables: RoutingRows, dynamodb: Any) -> None:
    repository.write(
        [
            PutTaskRow(TARGET, STAMP),
            PutTaskRow(MediaProxyRecord("udp:10.0.0.5:2223", 0, STAMP), STAMP),
            AddPermanentDomain(DomainRecord("sip.example.org")),
            PutAddress(Address("192.0.2.0/28", 2), 1),
            PutSubscriber(Subscriber("user1", *DIGESTS), 1),
        ]
    )
    register(dynamodb, "user1", "sip:user1@192.168.1.75:5060;pn-prid=token", NOW + 600, "sip:45.118.77.153:1619")
    register(dynamodb, "user2", "sip:user2@192.0.2.5:5060;pn-prid=token", NOW + 600)
    register(dynamodb, "user3", "sip:user3@192.0.2.6:5060", NOW - 1)
    seen = tables.read()
    assert seen.rows == {
        Target: {"sip:10.0.0.1:5060": Target("sip:10.0.0.1:5060", 1, "gw", "ap-southeast-1", "8ec8d727", "in use")},
        MediaProxy: {"udp:10.0.0.5:2223": MediaProxy("udp:10.0.0.5:2223", 0, "8ec8d727", "in use")},
        Domain: {"sip.example.org": Domain("sip.example.org", "", "in use")},
        Permission: {"192.0.2.0/28": Permission("192.0.2.0/28", 2)},
        Registration: {
            "user1 45.118.77.153:1619 gateway-1": Registration(
                "user1", "45.118.77.153:1619", "gateway-1", (NOW + 600) * 1000
            ),
            "user2 192.0.2.5:5060 gateway-1": Registration("user2", "192.0.2.5:5060", "gateway-1", (NOW + 600) * 1000),
        },
    }
    counted = {name: (state.rows, state.head) for name, state in seen.tables.items()}
    assert counted == {
        "load_balancer_targets": (1, 1),
        "addresses": (1, 1),
        "subscribers": (1, 1),
        "domains": (1, 1),
        "media_proxies": (1, 1),
        "registrations": (2, None),
    }
    assert not any(word in repr(seen) for word in (*DIGESTS, "token"))


def test_only_what_changed_is_read_again_and_the_journal_told(
    repository: RoutingRepository, tables: RoutingRows, dynamodb: Any
) -> None:
    repository.write([PutAddress(Address("192.0.2.1", 1), 1)])
    assert tables.read().changes == []
    asked: list[tuple[str, dict[str, Any]]] = []
    dynamodb.meta.events.register(
        "provide-client-params.dynamodb.*", lambda params, model, **_: asked.append((model.name, params))
    )
    assert tables.read().rows == {Registration: {}}
    assert [name for name, _ in asked] == ["BatchGetItem", "Scan"]
    repository.write([PutAddress(Address("192.0.2.2", 1), 2)])
    repository.write([DeleteAddress("192.0.2.1", 3)])
    seen = tables.read()
    assert set(seen.rows) == {Permission, Registration}
    assert set(seen.rows[Permission]) == {"192.0.2.2"}
    assert seen.changes == [
        JournalChange(Table.ADDRESSES, 2, "192.0.2.2", "put"),
        JournalChange(Table.ADDRESSES, 3, "192.0.2.1", "delete"),
    ]


def test_no_request_asks_for_a_digest(repository: RoutingRepository, tables: RoutingRows, dynamodb: Any) -> None:
    repository.write([PutSubscriber(Subscriber("user1", *DIGESTS), 1)])
    answers: list[Any] = []
    dynamodb.meta.events.register("after-call.dynamodb.*", lambda parsed, **_: answers.append(parsed))
    tables.read()
    repository.write([PutSubscriber(Subscriber("user2", *DIGESTS), 2)])
    answers.clear()
    tables.read()
    assert answers
    assert not any(digest in repr(answers) for digest in DIGESTS)


def test_a_target_whose_task_stopped_is_shown_as_removed_and_not_counted(
    repository: RoutingRepository, tables: RoutingRows
) -> None:
    repository.write([PutTaskRow(TARGET, STAMP)])
    stopped = TaskStamp(STAMP.arn, 4, STAMP.started_at)
    repository.write([RemoveTaskRow(Table.LOAD_BALANCER_TARGETS, TARGET.key, stopped)])
    seen = tables.read()
    row = seen.rows[Target][TARGET.key]
    assert isinstance(row, Target)
    assert row.state == "removed"
    assert seen.tables["load_balancer_targets"].rows == 0


def test_of_a_large_table_a_part_is_shown_and_all_of_it_counted(tables: RoutingRows, dynamodb: Any) -> None:
    puts = [
        {"PutRequest": {"Item": encode({"source_ip": f"10.0.{number // 200}.{number % 200}", "group_id": 1})}}
        for number in range(325)
    ]
    for start in range(0, len(puts), 25):
        dynamodb.batch_write_item(RequestItems={NAMES[Table.ADDRESSES]: puts[start : start + 25]})
    seen = tables.read()
    assert (len(seen.rows[Permission]), seen.tables["addresses"].rows) == (300, 325)
