"""A region is lost: its ECS does not answer and its events stop. The other is kept true, and its own rows stay."""

from typing import Any

import pytest

from lambdas.services import aws_clients
from lambdas.services.errors import ReconcileFailed
from routing import Table
from tests.e2e.failure_drills.conftest import TIME_LIMIT, Services, note
from tests.e2e.failure_drills.test_throttled_dynamodb import check_journal
from tests.support.ecs_cluster import Cluster, interface_ip
from tests.support.ecs_events import task_event
from tests.support.faulty_aws import Fault, FaultyAws, all_of
from tests.support.routing_tables import rows
from tests.support.skipped_waits import skipped_waits

SCHEDULE = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
LOST, OTHER = "us-east-1", "ap-southeast-1"


class Switches:
    """Switches of both regions, as ECS runs them."""

    def __init__(self) -> None:
        self.clusters = {region: Cluster(region) for region in (OTHER, LOST)}
        for cluster in self.clusters.values():
            cluster.add_instance()
        self.running = {region: [self._run(region) for _ in range(2)] for region in self.clusters}

    def replace(self, region: str) -> None:
        """End one and start another, of which no event tells."""
        self.clusters[region].stop(self.running[region].pop())
        self.running[region].append(self._run(region))

    def targets(self, *regions: str) -> set[str]:
        """Return the targets that the running switches of regions are worth."""
        ips = [interface_ip(task) for region in regions for task in self.running[region]]
        return {f"sip:{ip}:{port}" for ip in ips for port in (5060, 5080)}

    def _run(self, region: str) -> dict[str, Any]:
        return self.clusters[region].run("switch")


def targets(region: str) -> set[Any]:
    """Return the targets of a region that the gateways have."""
    return {row["dst_uri"] for row in rows(Table.LOAD_BALANCER_TARGETS) if row["region"] == region}


@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.THROTTLED])
def test_the_other_region_is_healed_and_the_lost_one_keeps_its_rows_until_it_is_back(
    aws: FaultyAws, services: Services, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    switches = Switches()
    services(SCHEDULE)
    before = targets(LOST)
    assert before == switches.targets(LOST)

    # Both regions change, and nobody tells of it.
    switches.replace(LOST)
    switches.replace(OTHER)
    with skipped_waits() as waits, aws.faults(all_of("ecs", fault, region=LOST)) as requests:
        monkeypatch.setattr(aws, "silence", lambda _: waits.sleep(aws_clients._CONFIG.read_timeout))
        with pytest.raises(ReconcileFailed) as told:
            services(SCHEDULE)
    note(f"reconcile, {LOST} {fault.value}", waited=waits.seconds, requests=len(requests))
    assert str(told.value).startswith(f"{LOST}: ")
    assert OTHER not in str(told.value)
    assert waits.seconds < TIME_LIMIT / 2
    assert targets(OTHER) == switches.targets(OTHER)
    assert targets(LOST) == before, "rows went because nobody could be asked"

    services(SCHEDULE)
    assert targets(LOST) == switches.targets(LOST)
    check_journal(Table.LOAD_BALANCER_TARGETS)


def test_events_that_waited_in_the_lost_region_come_late_and_change_nothing_that_is_newer(
    aws: FaultyAws, services: Services
) -> None:
    """EventBridge keeps them for up to a day; the reconcile was there first."""
    switches = Switches()
    stopped = switches.running[LOST][-1]
    name, ip = stopped["taskArn"].rsplit("/", 1)[-1], interface_ip(stopped)
    late = [
        task_event(name, ip=ip, region=LOST),
        task_event(name, ip=ip, region=LOST, version=4, last_status="STOPPED"),
    ]
    services(late[0])
    switches.replace(LOST)
    services(SCHEDULE)
    assert targets(LOST) == switches.targets(LOST)
    for event in reversed(late * 2):
        services(event)
    assert targets(LOST) == switches.targets(LOST)
    check_journal(Table.LOAD_BALANCER_TARGETS)


def test_a_region_that_does_not_come_back_is_taken_out_by_events_that_an_operator_writes(
    aws: FaultyAws, services: Services
) -> None:
    """The rows go with their journal entries, so that gateways follow; should the region come back, so do they."""
    switches = Switches()
    services(SCHEDULE)
    for row in rows(Table.LOAD_BALANCER_TARGETS):
        if row["region"] == LOST:
            services(gone(str(row["task_arn"]), int(row["task_version"])))
    with aws.faults(all_of("ecs", Fault.UNAVAILABLE, region=LOST)), skipped_waits(), pytest.raises(ReconcileFailed):
        services(SCHEDULE)
    assert (targets(LOST), targets(OTHER)) == (set(), switches.targets(OTHER))
    check_journal(Table.LOAD_BALANCER_TARGETS)
    services(SCHEDULE)
    assert targets(LOST) == switches.targets(LOST)


def gone(task_arn: str, version: int) -> dict[str, Any]:
    """Return what an operator invokes the services function with: the task stopped, at the version that its row has."""
    *_, region, account, task = task_arn.split(":", 5)
    cluster = task.split("/")[1]
    detail = {
        "taskArn": task_arn,
        "clusterArn": f"arn:aws:ecs:{region}:{account}:cluster/{cluster}",
        "group": "service:switch",
        "lastStatus": "STOPPED",
        "version": version,
    }
    return {"detail-type": "ECS Task State Change", "region": region, "detail": detail}
