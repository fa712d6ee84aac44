"""EventBridge repeats, reorders and loses task events of a whole system. The tables end as the tasks are.

Two drills with one truth, what really runs: without losses the events alone must lead there; with losses the reconcile
must. Single addresses and tasks in any order are in `test_task_events.py`.
"""

import random
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing import RoutingReader, Table
from tests.lambdas.services.conftest import Services
from tests.support.ecs_cluster import Cluster, interface_ip
from tests.support.ecs_events import task_event
from tests.support.routing_tables import NAMES, clear, client, journal, rows

REGIONS = ("ap-southeast-1", "us-east-1")
TASK_TABLES = (Table.LOAD_BALANCER_TARGETS, Table.MEDIA_PROXIES)
Rows = dict[tuple[Table, str], str]
"""The owner of each row that there is."""


@dataclass
class World:
    """Tasks that start and stop, at few addresses, so that one follows another at the same one.

    Attributes:
        events: what ECS tells, in order.
        running: the tasks that run now, by kind and address.

    """

    events: list[dict[str, Any]] = field(default_factory=list)
    running: dict[tuple[str, str], str] = field(default_factory=dict)
    _told: dict[str, Any] = field(default_factory=dict)
    _number: int = 0

    def start(self, kind: str, address: str, region: str) -> None:
        """Start a task where none runs; it is told three times on its way."""
        if (kind, address) in self.running:
            return
        self._number += 1
        name, minute = f"{kind}-{self._number}", self._number
        started = f"2026-03-07T{10 + minute // 60:02}:{minute % 60:02}:00Z"
        told = {"name": name, "group": f"service:{kind}", "ip": address, "region": region}
        self.events += [
            task_event(**told, last_status="PENDING", version=1, interface_status="PRECREATED", started_at=None),
            task_event(**told, version=2, interface_status="ATTACHING", started_at=started),
            task_event(**told, version=3, started_at=started),
        ]
        self.running[kind, address] = name
        self._told[name] = {**told, "started_at": started}

    def stop(self, kind: str, address: str) -> None:
        """Stop the task that runs there; it is told in three steps, the last without an interface."""
        if (kind, address) not in self.running:
            return
        name = self.running.pop((kind, address))
        told = self._told[name]
        self.events += [
            task_event(**told, last_status="RUNNING", desired_status="STOPPED", version=4),
            task_event(**told, last_status="DEPROVISIONING", desired_status="STOPPED", version=6),
            task_event(**{**told, "ip": None}, last_status="STOPPED", version=7),
        ]

    def truth(self) -> Rows:
        """Return the rows of what runs."""
        truth: Rows = {}
        for (kind, address), name in self.running.items():
            if kind == "switch":
                truth |= {(Table.LOAD_BALANCER_TARGETS, f"sip:{address}:{port}"): name for port in (5060, 5080)}
            else:
                truth[Table.MEDIA_PROXIES, f"udp:{address}:2223"] = name
        return truth


def stored() -> Rows:
    """Return what readers see in the tables of tasks."""
    return {
        (table, str(row[table.key])): str(row["task_arn"]).rsplit("/", 1)[-1]
        for table in TASK_TABLES
        for row in rows(table)
    }


def check_journal() -> None:
    """Check that the journals have no gap, and lead a follower to what is there."""
    for table in TASK_TABLES:
        head, entries = journal(table)
        assert [seq for seq, _, _ in entries] == list(range(1, head + 1))
        assert set(RoutingReader(client(), NAMES).changes_after(table, 0).put) == {r[table.key] for r in rows(table)}


STEPS = st.lists(
    st.tuples(st.sampled_from(["start", "stop"]), st.sampled_from(["switch", "media-proxy"]), st.integers(1, 3)),
    min_size=2,
    max_size=8,
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, data=st.data())
def test_events_in_any_order_and_number_lead_to_what_runs(
    services: Services, steps: list[tuple[str, str, int]], data: st.DataObject
) -> None:
    clear(*TASK_TABLES, Table.ROUTING_CHANGES)
    world = World()
    for step, kind, host in steps:
        if step == "start":
            world.start(kind, f"10.0.0.{host}", REGIONS[host % 2])
        else:
            world.stop(kind, f"10.0.0.{host}")
    repeats = data.draw(st.lists(st.sampled_from(world.events), max_size=6)) if world.events else []
    for event in data.draw(st.permutations(world.events + repeats)):
        services(event)
    assert stored() == world.truth()
    check_journal()


@pytest.mark.parametrize("seed", range(2))
def test_events_that_get_lost_are_made_good_by_the_reconcile(services: Services, seed: int) -> None:
    """Tasks of an emulated ECS in two regions; half of their events are lost, others come twice, in any order."""
    draw = random.Random(seed)
    clusters = [Cluster(region) for region in REGIONS]
    events: list[dict[str, Any]] = []
    running: Rows = {}
    for cluster in clusters:
        cluster.add_instance()
        for number in range(6):
            task = cluster.run("switch")
            name, ip = task["taskArn"].rsplit("/", 1)[-1], interface_ip(task)
            told = {"name": name, "ip": ip, "region": cluster.region}
            events.append(task_event(**told))
            if number % 3 == 2:
                cluster.stop(task)
                events.append(task_event(**told, last_status="STOPPED", version=4))
            else:
                running |= {(Table.LOAD_BALANCER_TARGETS, f"sip:{ip}:{port}"): name for port in (5060, 5080)}
    kept = [event for event in events if draw.random() < 0.5]
    delivered = kept + draw.choices(kept, k=len(kept) // 2)
    draw.shuffle(delivered)
    for event in delivered:
        services(event)
    assert stored() != running, "no event that counts was lost"
    services({"source": "aws.events", "detail-type": "Scheduled Event"})
    assert stored() == running
    # What is delivered later than all that changes nothing any more.
    for event in events:
        services(event)
    assert stored() == running
    check_journal()
