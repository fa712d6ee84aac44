"""The check: everything that is looked at first, and what it says when something is wrong."""

import json
import time
from collections.abc import Callable
from typing import Any

import boto3

from local import servers
from routing import Address, PutAddress, RoutingRepository, Table
from switch_operator.deployment import Place
from tests.containers.switch_operator.conftest import LOG_GROUPS, SERVICES, Operator, ended, target
from tests.support.ecs_cluster import Cluster, interface_ip
from tests.support.routing_tables import NAMES

Write = Callable[..., None]


def log(*lines: tuple[float, dict[str, Any]]) -> None:
    """Have the services function log some lines, each some seconds ago."""
    now = time.time()
    events: Any = [{"timestamp": int((now - ago) * 1000), "message": json.dumps(keys)} for ago, keys in lines]
    boto3.client("logs").put_log_events(
        logGroupName=LOG_GROUPS[SERVICES], logStreamName="one", logEvents=sorted(events, key=lambda e: e["timestamp"])
    )


def findings(operator: Operator, status: int = 1) -> dict[str, tuple[str, str]]:
    return {each["what"]: (each["state"], each["seen"]) for each in operator.json("check", status=status)["findings"]}


def wrong(operator: Operator) -> set[str]:
    return {what for what, (state, _) in findings(operator).items() if state == "wrong"}


def test_a_deployment_that_is_well(operator: Operator, write: Write) -> None:
    cluster = Cluster(servers.REGION)
    cluster.add_instance()
    task = cluster.run("switch")
    write(target(interface_ip(task), task["taskArn"].rsplit("/", 1)[1]), PutAddress(Address("10.0.0.1", 1), 1))
    log((60, {"level": "INFO", "message": "reconciled", "rows_healed": 0}))
    found = findings(operator, status=0)
    assert {what for what, (state, _) in found.items() if state != "ok"} == {"gateways"}
    assert found["gateways"][0] == "unknown"
    assert found["tasks"][1] == "1 row of 1 task that run"
    assert "load_balancer_targets 1, addresses 1" in found["tables"][1]
    assert operator("check").out.rstrip().endswith("well")


def test_everything_that_is_wrong_is_found_at_once(operator: Operator, write: Write) -> None:
    Cluster(servers.REGION)
    write(target("10.0.0.1", "gone"))
    old = RoutingRepository(boto3.client("dynamodb"), NAMES, clock=lambda: time.time() - 5 * 24 * 3600)
    old.write([target("10.0.0.2", "b"), ended("10.0.0.2", "b")])
    sqs = boto3.client("sqs")
    for place in (Place.DEAD_LETTERS, Place.SERVICES_FAILURES, Place.S3_MPEG_FAILURES):
        sqs.send_message(QueueUrl=operator.queues[place], MessageBody="x")
    log(
        (4_000, {"message": "reconciled", "rows_healed": 0}),
        (60, {"message": "region not reconciled", "region": "us-east-1"}),
    )
    operator.environment["GATEWAY_HEALTH_URLS"] = "http://127.0.0.1:9/health"
    found = findings(operator)
    for what, seen in {
        "gateway http://127.0.0.1:9/health": "does not answer",
        "dead letters": "1 message",
        "failures of services": "1 message",
        "failures of s3-mpeg": "1 message",
        "reconcile": "us-east-1 could not be reconciled",
        "tombstones": "1 in load_balancer_targets, 1 that should have gone",
        "rows without a task": "load_balancer_targets sip:10.0.0.1:5060: unknown to ECS",
    }.items():
        state, said = found[what]
        assert (state, seen in said) == ("wrong", True), (what, said)
    assert "7 things wrong" in operator("check", status=1).out


def test_a_reconcile_that_no_longer_comes_is_wrong(operator: Operator) -> None:
    assert findings(operator)["reconcile"] == ("wrong", "none in the last 3 hours")
    log((3_000, {"message": "reconciled", "rows_healed": 0}))
    assert findings(operator)["reconcile"] == ("wrong", "the last was 50 min ago")


def test_a_row_that_gateways_skip_is_wrong(operator: Operator) -> None:
    item: Any = {"dst_uri": {"S": "sip:10.0.0.9:5060"}, "group_id": {"N": "1"}}
    boto3.client("dynamodb").put_item(TableName=NAMES[Table.LOAD_BALANCER_TARGETS], Item=item)
    state, seen = findings(operator)["tables"]
    assert state == "wrong"
    assert "sip:10.0.0.9:5060: load_balancer_targets: attribute resource is missing" in seen


def test_a_head_that_was_put_back_is_wrong(operator: Operator, write: Write) -> None:
    write(PutAddress(Address("10.0.0.1", 1), 1), PutAddress(Address("10.0.0.2", 1), 1))
    head: Any = {"table": {"S": "addresses"}, "seq": {"N": "0"}, "head": {"N": "1"}}
    boto3.client("dynamodb").put_item(TableName=NAMES[Table.ROUTING_CHANGES], Item=head)
    assert findings(operator)["journal"] == ("wrong", "entries after the head: 10.0.0.2")


def test_what_cannot_be_looked_at_does_not_hide_the_rest(operator: Operator) -> None:
    operator.environment["DOMAINS_TABLE"] = "nothing"
    del operator.environment[Place.DEAD_LETTERS.variable]
    found = findings(operator)
    assert "cannot be looked at" in found["tables"][1]
    assert "DEAD_LETTER_QUEUE_URL is not set" in found["queues"][1]
    assert found["journal"][0] == "ok"


# --- reconcile by hand


def test_a_reconcile_says_what_it_healed(operator: Operator) -> None:
    cluster = Cluster(servers.REGION)
    Cluster("us-east-1")
    cluster.add_instance()
    ip = interface_ip(cluster.run("switch"))
    said = operator.json("reconcile")
    assert said["rows_healed"] == 2
    assert {(row["table"], row["key"], row["region"]) for row in said["rows"]} == {
        ("load_balancer_targets", f"sip:{ip}:{port}", servers.REGION) for port in (5060, 5080)
    }
    assert operator("reconcile").out == "reconciled: 0 rows healed\n"


def test_a_region_that_cannot_be_asked_fails_the_reconcile_by_name(operator: Operator) -> None:
    def fails(_: Any) -> Any:
        raise RuntimeError("us-east-1: EndpointConnectionError")

    operator.functions.functions[SERVICES] = fails
    assert "RuntimeError: us-east-1: EndpointConnectionError" in operator("reconcile", status=1).err


def test_a_function_of_an_older_version_tells_no_rows(operator: Operator) -> None:
    operator.functions.functions[SERVICES] = lambda _: None
    assert "does not tell what it healed" in operator("reconcile").out
    assert operator.json("reconcile") == {"rows_healed": None, "rows": None}
