"""The schedule: the tables are compared with what ECS runs, and healed both ways."""

from typing import Any

import boto3
import pytest

from lambdas.services.errors import ReconcileFailed
from routing import Table
from tests.lambdas.services.conftest import Services
from tests.support.ecs_cluster import Cluster, interface_ip
from tests.support.ecs_events import task_arn, task_event
from tests.support.routing_tables import NAMES, all_rows, clear, client, journal, rows

SCHEDULE = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


@pytest.fixture
def singapore(services: Services) -> Cluster:
    return Cluster("ap-southeast-1")


@pytest.fixture
def virginia(services: Services) -> Cluster:
    return Cluster("us-east-1")


def keys(table: Table) -> list[Any]:
    return [row[table.key] for row in rows(table)]


def targets_of(*tasks: dict[str, Any]) -> list[str]:
    return sorted(f"sip:{interface_ip(task)}:{port}" for task in tasks for port in (5060, 5080))


def run_switches(cluster: Cluster, count: int) -> list[dict[str, Any]]:
    cluster.add_instance()
    return [cluster.run("switch") for _ in range(count)]


def healed(services: Services) -> set[tuple[str, str]]:
    return {(line["table"], line["key"]) for line in services.log if line["message"] == "row healed"}


# --- rows that are missing


def test_empty_tables_are_filled_from_every_region(services: Services, singapore: Cluster, virginia: Cluster) -> None:
    at_home, abroad = run_switches(singapore, 2), run_switches(virginia, 1)
    answer = services(SCHEDULE)
    assert keys(Table.LOAD_BALANCER_TARGETS) == targets_of(*at_home, *abroad)
    assert answer["rows_healed"] == 6
    told = {(row["table"], row["key"], row["region"]) for row in answer["rows"]}
    assert told == {
        ("load_balancer_targets", key, region)
        for tasks, region in ((at_home, "ap-southeast-1"), (abroad, "us-east-1"))
        for key in targets_of(*tasks)
    }
    assert services(SCHEDULE) == {"rows_healed": 0, "rows": []}
    groups = {row["region"]: row["group_id"] for row in rows(Table.LOAD_BALANCER_TARGETS)}
    assert groups == {"ap-southeast-1": 1, "us-east-1": 2}


def test_tasks_on_instances_are_found_by_their_instances_addresses(services: Services, virginia: Cluster) -> None:
    instance = virginia.add_instance(public=True)
    virginia.run("media-proxy")
    virginia.run("client-gateway")
    services(SCHEDULE)
    assert keys(Table.MEDIA_PROXIES) == [f"udp:{instance.private_ip}:2223"]
    assert keys(Table.DOMAINS) == sorted([instance.private_ip, str(instance.public_ip)])


def test_one_missing_row_is_put_back_and_named(services: Services, singapore: Cluster) -> None:
    (task,) = run_switches(singapore, 1)
    services(SCHEDULE)
    lost = targets_of(task)[0]
    client().delete_item(TableName=NAMES[Table.LOAD_BALANCER_TARGETS], Key={"dst_uri": {"S": lost}})
    services(SCHEDULE)
    assert keys(Table.LOAD_BALANCER_TARGETS) == targets_of(task)
    assert (Table.LOAD_BALANCER_TARGETS.value, lost) in healed(services)
    assert journal(Table.LOAD_BALANCER_TARGETS)[1][-1] == (3, lost, "put")


def test_a_row_that_was_changed_by_hand_is_put_right(services: Services, singapore: Cluster) -> None:
    (task,) = run_switches(singapore, 1)
    services(SCHEDULE)
    client().update_item(
        TableName=NAMES[Table.LOAD_BALANCER_TARGETS],
        Key={"dst_uri": {"S": targets_of(task)[0]}},
        UpdateExpression="SET group_id = :wrong",
        ExpressionAttributeValues={":wrong": {"N": "9"}},
    )
    services(SCHEDULE)
    assert {row["group_id"] for row in rows(Table.LOAD_BALANCER_TARGETS)} == {1}


def test_a_switch_that_runs_comes_back_though_a_tombstone_of_another_task_lies_there(
    services: Services, singapore: Cluster
) -> None:
    (task,) = run_switches(singapore, 1)
    services(task_event("dead", last_status="STOPPED", ip=interface_ip(task), started_at="2020-01-01T00:00:00Z"))
    services(SCHEDULE)
    assert keys(Table.LOAD_BALANCER_TARGETS) == targets_of(task)


# --- rows too many


def test_the_rows_of_a_task_that_ecs_does_not_know_go(services: Services, singapore: Cluster) -> None:
    run_switches(singapore, 0)
    services(task_event("gone", ip="10.9.9.9"))
    services(task_event("proxy", group="service:media-proxy", ip="10.9.9.8"))
    services(SCHEDULE)
    assert keys(Table.LOAD_BALANCER_TARGETS) == []
    assert keys(Table.MEDIA_PROXIES) == []
    services(task_event("gone", ip="10.9.9.9"))
    assert keys(Table.LOAD_BALANCER_TARGETS) == [], "the late event of a removed task brought it back"


def test_the_rows_of_a_task_that_stopped_unnoticed_go(services: Services, singapore: Cluster) -> None:
    stays, stops = run_switches(singapore, 2)
    services(SCHEDULE)
    singapore.stop(stops)
    services(SCHEDULE)
    assert keys(Table.LOAD_BALANCER_TARGETS) == targets_of(stays)


def test_the_rows_of_a_cluster_that_is_gone_go(services: Services, singapore: Cluster) -> None:
    services(task_event("orphan", cluster="deleted-cluster"))
    services(SCHEDULE)
    assert keys(Table.LOAD_BALANCER_TARGETS) == []


def test_a_port_that_was_changed_moves_the_rows(
    services: Services, singapore: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    (task,) = run_switches(singapore, 1)
    services(SCHEDULE)
    monkeypatch.setenv("FS_SIP_ALTERNATIVE_PORT", "5090")
    services(SCHEDULE)
    ip = interface_ip(task)
    assert keys(Table.LOAD_BALANCER_TARGETS) == [f"sip:{ip}:5060", f"sip:{ip}:5090"]


# --- what stays as it is


def test_permanent_domains_permissions_and_subscribers_stay(services: Services, singapore: Cluster) -> None:
    services({"serviceAction": "CreateDomain", "parameters": {"domain": "sip.example.org"}})
    services(SCHEDULE)
    assert keys(Table.DOMAINS) == ["sip.example.org"]


def test_true_tables_are_not_written(services: Services, singapore: Cluster, virginia: Cluster) -> None:
    run_switches(singapore, 2)
    run_switches(virginia, 1)
    services(SCHEDULE)
    head = journal(Table.LOAD_BALANCER_TARGETS)[0]
    with services.requests() as requests:
        services(SCHEDULE)
    assert "TransactWriteItems" not in requests
    assert journal(Table.LOAD_BALANCER_TARGETS)[0] == head == 6


def test_a_task_that_events_made_rows_of_is_left_alone(services: Services, singapore: Cluster) -> None:
    """ECS's answer and its event describe one task; the emulated answer has no version and no time of start."""
    (task,) = run_switches(singapore, 1)
    event = task_event(ip=interface_ip(task), version=5)
    event["detail"]["taskArn"] = task["taskArn"]
    services(event)
    services(SCHEDULE)
    assert healed(services) == set()
    assert {row["task_version"] for row in rows(Table.LOAD_BALANCER_TARGETS)} == {5}


def test_tasks_of_other_services_are_not_ours(services: Services, singapore: Cluster) -> None:
    singapore.add_instance()
    singapore.run("switch", group="service:somebody-elses")
    services(SCHEDULE)
    assert [all_rows(table) for table in Table] == [[]] * len(Table)


def test_only_the_clusters_of_the_setting_are_asked(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    for region in ("ap-southeast-1", "us-east-1"):
        Cluster(region, "ours")
    theirs = Cluster("ap-southeast-1", "theirs")
    run_switches(theirs, 1)
    monkeypatch.setenv("ECS_CLUSTERS", "ours, ")
    services(SCHEDULE)
    assert keys(Table.LOAD_BALANCER_TARGETS) == []
    monkeypatch.setenv("ECS_CLUSTERS", "")
    services(SCHEDULE)
    assert len(keys(Table.LOAD_BALANCER_TARGETS)) == 2


# --- the platform, and regions that cannot be asked


def test_the_platform_is_told_the_capacity_of_each_region_anew(
    services: Services, singapore: Cluster, virginia: Cluster
) -> None:
    run_switches(singapore, 2)
    run_switches(virginia, 1)
    services(SCHEDULE)
    told = [body["job_args"][0] for body in services.queued()]
    assert [(change["region"], change["family"]) for change in told] == [
        ("ap-southeast-1", "switch"),
        ("us-east-1", "switch"),
    ]


def test_a_region_that_cannot_be_asked_is_named_and_the_others_are_healed(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    virginia = Cluster("us-east-1", "ours")
    (task,) = run_switches(virginia, 1)
    monkeypatch.setenv("ECS_CLUSTERS", "ours")
    boto3.client("ecs", region_name="ap-southeast-1").create_cluster(clusterName="another")
    services(task_event("of-the-first-region"))
    with pytest.raises(ReconcileFailed, match=r"ap-southeast-1: ClusterNotFoundException"):
        services(SCHEDULE)
    assert set(targets_of(task)) < set(keys(Table.LOAD_BALANCER_TARGETS))
    survivors = {row["task_arn"] for row in rows(Table.LOAD_BALANCER_TARGETS)} - {task["taskArn"]}
    assert survivors == {task_arn("of-the-first-region")}, "a region that did not answer lost its rows"


def test_a_table_restored_without_its_journal_is_filled_again(services: Services, singapore: Cluster) -> None:
    (task,) = run_switches(singapore, 1)
    services(SCHEDULE)
    clear(Table.LOAD_BALANCER_TARGETS, Table.ROUTING_CHANGES)
    services(SCHEDULE)
    assert keys(Table.LOAD_BALANCER_TARGETS) == targets_of(task)
    assert journal(Table.LOAD_BALANCER_TARGETS)[0] == 2
