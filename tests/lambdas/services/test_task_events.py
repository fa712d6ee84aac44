"""ECS task state changes, from the event to the tables."""

import datetime as dt
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas.services.errors import AddressNotFound, InvalidEvent, UnknownRegion
from routing import Table
from tests.lambdas.services.conftest import Services
from tests.support.ecs_cluster import Cluster
from tests.support.ecs_events import STARTED_AT, task_arn, task_event
from tests.support.routing_tables import NAMES, all_rows, clear, client, journal, rows

GATEWAY = "service:client-gateway"
PROXY = "service:media-proxy"
STARTED_AT_MILLISECONDS = round(dt.datetime.fromisoformat(STARTED_AT).timestamp() * 1000)


def keys(table: Table) -> list[str]:
    return [str(row[table.key]) for row in rows(table)]


# --- switches


def test_a_running_switch_becomes_two_targets(services: Services) -> None:
    services(task_event("a", version=3))
    task = {"task_arn": task_arn("a"), "task_version": 3, "task_started_at": STARTED_AT_MILLISECONDS}
    shared = {"group_id": 1, "event_socket": "10.1.1.100:8021", "probe_mode": 2, "region": "ap-southeast-1", **task}
    assert rows(Table.LOAD_BALANCER_TARGETS) == [
        {"dst_uri": "sip:10.1.1.100:5060", "resource": "gw", **shared},
        {"dst_uri": "sip:10.1.1.100:5080", "resource": "gwalt", **shared},
    ]
    assert journal(Table.LOAD_BALANCER_TARGETS) == (
        2,
        [(1, "sip:10.1.1.100:5060", "put"), (2, "sip:10.1.1.100:5080", "put")],
    )


def test_a_switch_of_another_region_goes_to_that_regions_group(services: Services) -> None:
    services(task_event(region="us-east-1"))
    assert [(row["group_id"], row["region"]) for row in rows(Table.LOAD_BALANCER_TARGETS)] == [(2, "us-east-1")] * 2


def test_ports_come_from_the_environment(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FS_SIP_PORT", "6060")
    monkeypatch.setenv("FS_SIP_ALTERNATIVE_PORT", "6080")
    monkeypatch.setenv("FS_EVENT_SOCKET_PORT", "8022")
    services(task_event())
    assert keys(Table.LOAD_BALANCER_TARGETS) == ["sip:10.1.1.100:6060", "sip:10.1.1.100:6080"]
    assert {row["event_socket"] for row in rows(Table.LOAD_BALANCER_TARGETS)} == {"10.1.1.100:8022"}


@pytest.mark.parametrize("region", ["ap-southeast-1", "us-east-1"])
@pytest.mark.parametrize("status", ["RUNNING", "STOPPED"])
def test_a_capacity_change_is_left_in_the_queue(services: Services, region: str, status: str) -> None:
    services(task_event(region=region, last_status=status))
    cluster = f"arn:aws:ecs:{region}:123456789012:cluster/somleng-switch"
    assert services.queued() == [
        {
            "job_class": "NotifySwitchCapacityChangeJob",
            "job_args": [{"region": region, "cluster": cluster, "family": "switch"}],
        }
    ]


def test_a_repeated_event_writes_nothing_and_still_asks_for_the_platform_to_be_told(services: Services) -> None:
    services(task_event())
    services(task_event())
    assert journal(Table.LOAD_BALANCER_TARGETS)[0] == 2
    assert len(services.queued()) == 2


@pytest.mark.parametrize(
    ("last_status", "desired_status"),
    [
        ("RUNNING", "STOPPED"),
        ("DEACTIVATING", "RUNNING"),
        ("DEACTIVATING", "STOPPED"),
        ("STOPPING", "STOPPED"),
        ("DEPROVISIONING", "STOPPED"),
        ("STOPPED", "STOPPED"),
    ],
)
def test_a_switch_leaves_as_soon_as_it_is_told_to_stop(
    services: Services, last_status: str, desired_status: str
) -> None:
    services(task_event("a", version=3))
    services(task_event("b", version=3, ip="10.1.1.101"))
    services(task_event("a", version=4, last_status=last_status, desired_status=desired_status))
    assert keys(Table.LOAD_BALANCER_TARGETS) == ["sip:10.1.1.101:5060", "sip:10.1.1.101:5080"]


def test_a_stopped_switch_leaves_though_its_interface_is_gone(services: Services) -> None:
    services(task_event("a", version=3))
    services(task_event("a", version=6, last_status="STOPPED", ip=None))
    assert keys(Table.LOAD_BALANCER_TARGETS) == []
    services(task_event("a", version=2))
    assert keys(Table.LOAD_BALANCER_TARGETS) == []


@pytest.mark.parametrize("interface_status", ["PRECREATED", "ATTACHING", "DELETED"])
def test_a_switch_is_not_called_before_its_interface_is_attached(services: Services, interface_status: str) -> None:
    services(task_event(interface_status=interface_status))
    assert all_rows(Table.LOAD_BALANCER_TARGETS) == []
    assert services.queued() == []


def test_an_interface_without_an_address_is_not_attached(services: Services) -> None:
    event = task_event()
    event["detail"]["attachments"][0]["details"] = [{"name": "subnetId", "value": "subnet-0a"}]
    services(event)
    assert all_rows(Table.LOAD_BALANCER_TARGETS) == []


@pytest.mark.parametrize("last_status", ["PROVISIONING", "PENDING", "ACTIVATING"])
def test_a_starting_switch_is_not_called_yet(services: Services, last_status: str) -> None:
    services(task_event(last_status=last_status))
    assert all_rows(Table.LOAD_BALANCER_TARGETS) == []


def test_a_running_that_comes_after_the_stopped_does_not_bring_the_switch_back(services: Services) -> None:
    services(task_event("a", version=5, last_status="STOPPED"))
    services(task_event("a", version=3))
    assert keys(Table.LOAD_BALANCER_TARGETS) == []
    assert [row["removed"] for row in all_rows(Table.LOAD_BALANCER_TARGETS)] == [True, True]


def test_a_stop_does_not_remove_the_successor_at_the_same_address(services: Services) -> None:
    services(task_event("a", version=3, started_at="2026-03-07T10:00:00Z"))
    services(task_event("b", version=3, started_at="2026-03-07T11:00:00Z"))
    services(task_event("a", version=5, last_status="STOPPED", started_at="2026-03-07T10:00:00Z"))
    services(task_event("a", version=3, started_at="2026-03-07T10:00:00Z"))
    assert {row["task_arn"] for row in rows(Table.LOAD_BALANCER_TARGETS)} == {task_arn("b")}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_events_of_an_address_in_any_order_and_number_end_the_same(services: Services, data: st.DataObject) -> None:
    """Two switches that had one address one after the other, the second still running or not."""
    clear(Table.LOAD_BALANCER_TARGETS, Table.ROUTING_CHANGES)
    second_runs = data.draw(st.booleans())
    events = [
        task_event("a", version=2, started_at="2026-03-07T10:00:00Z"),
        task_event("a", version=3, started_at="2026-03-07T10:00:00Z"),
        task_event("a", version=4, desired_status="STOPPED", started_at="2026-03-07T10:00:00Z"),
        task_event(
            "a", version=6, last_status="STOPPED", interface_status="DELETED", started_at="2026-03-07T10:00:00Z"
        ),
        task_event("b", version=2, started_at="2026-03-07T11:00:00Z"),
    ]
    if not second_runs:
        events.append(task_event("b", version=4, last_status="STOPPED", started_at="2026-03-07T11:00:00Z"))
    order = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=4))))
    for event in order:
        services(event)
    expected = [(task_arn("b"), "gw"), (task_arn("b"), "gwalt")] if second_runs else []
    assert [(row["task_arn"], row["resource"]) for row in rows(Table.LOAD_BALANCER_TARGETS)] == expected
    head, entries = journal(Table.LOAD_BALANCER_TARGETS)
    assert [seq for seq, _, _ in entries] == list(range(1, head + 1))


# --- media proxies and client gateways


def test_a_media_proxy_on_its_instances_address(services: Services) -> None:
    cluster = Cluster("ap-southeast-1")
    instance = cluster.add_instance()
    event = task_event("p", group=PROXY, ip=None, container_instance=instance.container_instance_arn)
    services(event)
    services(event)
    (row,) = rows(Table.MEDIA_PROXIES)
    assert (row["socket"], row["set_id"]) == (f"udp:{instance.private_ip}:2223", 0)
    assert journal(Table.MEDIA_PROXIES)[0] == 1
    services({**event, "detail": {**event["detail"], "lastStatus": "STOPPED", "version": 9}})
    assert rows(Table.MEDIA_PROXIES) == []
    assert services.queued() == []


def test_a_media_proxy_on_its_own_interface_needs_no_instance(services: Services) -> None:
    services(task_event("p", group=PROXY, ip="10.0.0.1"))
    assert keys(Table.MEDIA_PROXIES) == ["udp:10.0.0.1:2223"]


def test_a_client_gateway_answers_for_its_private_and_public_address(services: Services) -> None:
    cluster = Cluster("ap-southeast-1")
    instance = cluster.add_instance(public=True)
    event = task_event("g", group=GATEWAY, ip=None, container_instance=instance.container_instance_arn)
    services(event)
    services(event)
    assert instance.public_ip is not None
    assert keys(Table.DOMAINS) == sorted([instance.private_ip, instance.public_ip])
    assert journal(Table.DOMAINS)[0] == 2
    services({**event, "detail": {**event["detail"], "lastStatus": "STOPPED", "version": 9}})
    assert rows(Table.DOMAINS) == []


def test_a_client_gateway_without_a_public_address(services: Services) -> None:
    instance = Cluster("ap-southeast-1").add_instance()
    services(task_event("g", group=GATEWAY, ip=None, container_instance=instance.container_instance_arn))
    assert keys(Table.DOMAINS) == [instance.private_ip]


def test_instances_are_asked_for_in_the_events_region(services: Services) -> None:
    instance = Cluster("us-east-1").add_instance(public=True)
    event = task_event(
        "g", group=GATEWAY, ip=None, region="us-east-1", container_instance=instance.container_instance_arn
    )
    services(event)
    assert keys(Table.DOMAINS) == sorted([instance.private_ip, str(instance.public_ip)])


def test_a_gateway_leaves_though_its_instance_is_gone(services: Services) -> None:
    cluster = Cluster("ap-southeast-1")
    instance = cluster.add_instance(public=True)
    event = task_event("g", group=GATEWAY, ip=None, container_instance=instance.container_instance_arn)
    services(event)
    cluster.ecs.deregister_container_instance(
        cluster=cluster.name, containerInstance=instance.container_instance_arn, force=True
    )
    cluster.ec2.terminate_instances(InstanceIds=[instance.instance_id])
    services({**event, "detail": {**event["detail"], "lastStatus": "STOPPED", "version": 9}})
    assert rows(Table.DOMAINS) == []


def test_a_running_that_comes_after_the_stopped_does_not_bring_the_gateway_back(services: Services) -> None:
    instance = Cluster("ap-southeast-1").add_instance(public=True)
    event = task_event("g", group=GATEWAY, ip=None, container_instance=instance.container_instance_arn, version=3)
    services({**event, "detail": {**event["detail"], "lastStatus": "STOPPED", "version": 9}})
    services(event)
    assert rows(Table.DOMAINS) == []


def test_a_running_task_whose_instance_nobody_knows_fails_by_name(services: Services) -> None:
    Cluster("ap-southeast-1").add_instance()
    arn = "arn:aws:ecs:ap-southeast-1:123456789012:container-instance/somleng-switch/0123456789abcdef0123456789abcdef"
    with pytest.raises(AddressNotFound, match="0123456789abcdef"):
        services(task_event("g", group=GATEWAY, ip=None, container_instance=arn))
    services(task_event("g", group=GATEWAY, ip=None, container_instance=arn, last_status="STOPPED", version=9))
    assert all_rows(Table.DOMAINS) == []


# --- what is none of ours, and what is broken


def test_an_unknown_group_is_ignored_whatever_its_region(services: Services) -> None:
    services(task_event(group="service:somleng-switch-opensips", region="mars-north-1"))
    services(task_event(group="family:one-off"))
    assert [all_rows(table) for table in Table] == [[]] * len(Table)


def test_an_unknown_region_fails_by_name(services: Services) -> None:
    with pytest.raises(UnknownRegion, match="mars-north-1"):
        services(task_event(region="mars-north-1"))
    assert all_rows(Table.LOAD_BALANCER_TARGETS) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("taskArn", None),
        ("taskArn", ""),
        ("lastStatus", None),
        ("clusterArn", 5),
        ("version", "three"),
        ("version", -1),
        ("version", 10**40),
        ("startedAt", "yesterday"),
        ("attachments", {}),
        ("attachments", ["eni"]),
        ("attachments", [{"type": "eni", "status": "ATTACHED", "details": ["privateIPv4Address"]}]),
    ],
)
def test_a_broken_event_fails_by_the_name_of_the_field(services: Services, field: str, value: Any) -> None:
    event = task_event()
    event["detail"][field] = value
    with pytest.raises(InvalidEvent, match=field):
        services(event)


def test_an_interface_with_a_broken_address_fails_by_name(services: Services) -> None:
    with pytest.raises(InvalidEvent, match="privateIPv4Address is 'nowhere'"):
        services(task_event(ip="nowhere"))


def test_a_table_that_is_missing_fails_the_event_so_that_it_is_retried(services: Services) -> None:
    client().delete_table(TableName=NAMES[Table.LOAD_BALANCER_TARGETS])
    with pytest.raises(ClientError, match="ResourceNotFound"):
        services(task_event())
