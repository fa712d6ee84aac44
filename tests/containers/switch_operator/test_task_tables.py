"""Targets, media proxies and domains: listed and explained."""

from collections.abc import Callable

from local import servers
from routing import AddPermanentDomain, Domain, MediaProxy, PutTaskRow, TaskStamp
from tests.containers.switch_operator.conftest import Operator, arn, ended, target
from tests.support.ecs_cluster import Cluster, interface_ip
from tests.support.routing_tables import NAMES, client

Write = Callable[..., None]


def test_targets_are_listed_with_their_tasks_and_tombstones_when_asked_for(operator: Operator, write: Write) -> None:
    write(target("10.0.0.1", "a", version=5), target("10.0.0.2", "b", group=2), target("10.0.0.3", "c"))
    write(ended("10.0.0.3", "c"))
    (first, second) = operator.json("targets", "list")["load_balancer_targets"]
    assert first == {
        "dst_uri": "sip:10.0.0.1:5060",
        "group_id": 1,
        "resource": "gw",
        "event_socket": "10.0.0.1:8021",
        "probe_mode": 2,
        "region": servers.REGION,
        "task_arn": arn("a"),
        "task_version": 5,
        "task_started_at": 1_772_877_600_000,
        "removed": False,
        "expires": None,
    }
    assert second["group_id"] == 2
    shown = operator("targets", "list", "--all").out
    assert "2 rows, 1 tombstone" in shown
    assert [line.split()[0] for line in shown.splitlines() if "removed" in line] == ["sip:10.0.0.3:5060"]


def test_a_row_that_gateways_skip_is_named(operator: Operator, write: Write) -> None:
    write(target("10.0.0.1", "a"))
    client().put_item(TableName=NAMES.names[0][1], Item={"dst_uri": {"S": "sip:10.0.0.9:5060"}, "group_id": {"N": "1"}})
    said = operator.json("targets", "list")["skipped_by_gateways"]
    assert [each["key"] for each in said] == ["sip:10.0.0.9:5060"]
    assert "attribute resource is missing" in said[0]["reason"]


def test_a_target_is_explained_by_what_ecs_says_of_its_task(operator: Operator, write: Write) -> None:
    cluster = Cluster(servers.REGION)
    cluster.add_instance()
    task = cluster.run("switch")
    ip, name = interface_ip(task), task["taskArn"].rsplit("/", 1)[1]
    write(target(ip, name), target("10.9.0.1", "gone"))
    explained = operator.json("targets", "explain", f"sip:{ip}:5060")
    assert explained["ecs"] == "running"
    assert (explained["last_change"]["seq"], explained["last_change"]["operation"]) == (1, "put")
    assert explained["verdict"] == "Gateways have it."
    leftover = operator("targets", "explain", "sip:10.9.0.1:5060").out
    assert "unknown to ECS" in leftover
    assert "run 'reconcile'" in leftover
    write(ended("10.9.0.1", "gone"))
    assert "it remembers that its task ended" in operator("targets", "explain", "sip:10.9.0.1:5060").out
    assert "has no row 'sip:1.1.1.1:5060'" in operator("targets", "explain", "sip:1.1.1.1:5060", status=1).err


def test_media_proxies_and_domains_are_listed_too(operator: Operator, write: Write) -> None:
    stamp = TaskStamp(arn("p"), 2)
    write(PutTaskRow(MediaProxy("udp:10.0.0.5:2223", 0), stamp), PutTaskRow(Domain("10.0.0.6"), stamp))
    write(AddPermanentDomain(Domain("sip.example.org")))
    assert [row["socket"] for row in operator.json("media-proxies", "list")["media_proxies"]] == ["udp:10.0.0.5:2223"]
    domains = operator.json("domains", "list")["domains"]
    assert [(row["domain"], row["task_arn"]) for row in domains] == [("10.0.0.6", arn("p")), ("sip.example.org", None)]
    assert "No task's end removes it" in operator("domains", "explain", "sip.example.org").out
