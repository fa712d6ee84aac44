"""DynamoDB throttles: altogether for a while, or a share of all requests. Nothing is lost and nothing is done twice."""

import random
from typing import Any

import pytest

from routing import RoutingReader, Table
from tests.e2e.failure_drills.conftest import MAXIMUM_RECEIVES, TIME_LIMIT, Services, note
from tests.support.ecs_events import task_event
from tests.support.faulty_aws import Decide, Fault, FaultyAws, all_of, count, share
from tests.support.lambda_retries import LambdaRetries
from tests.support.queue_events import job
from tests.support.queue_poller import QueuePoller
from tests.support.routing_tables import NAMES, client, journal, rows
from tests.support.skipped_waits import skipped_waits

THROTTLES = (Fault.THROTTLED, Fault.TRANSACTION_THROTTLED)


def half_of_dynamodb(seed: int, *faults: Fault) -> Decide:
    chosen = share(0.5, seed, *faults or THROTTLES)
    return lambda request: chosen(request) if request.service == "dynamodb" else None


def permissions(number: int, seed: int) -> tuple[list[str], dict[str, int]]:
    """Return jobs about a few addresses, in the order of their sending, and what they come to."""
    draw, truth, bodies = random.Random(seed), dict[str, int](), []
    for _ in range(number):
        ip, group = f"10.0.0.{draw.randrange(8)}", draw.randrange(1, 3)
        if draw.random() < 0.3:
            bodies.append(job("DeleteOpenSIPSPermissionJob", ip))
            truth.pop(ip, None)
        else:
            bodies.append(job("CreateOpenSIPSPermissionJob", ip, {"group_id": group}))
            truth[ip] = group
    return bodies, truth


def addresses() -> dict[Any, Any]:
    return {row["source_ip"]: row["group_id"] for row in rows(Table.ADDRESSES)}


def check_journal(table: Table) -> int:
    """Check that the journal has no gap and no change twice, and that a follower ends with what is there."""
    head, entries = journal(table)
    assert [seq for seq, _, _ in entries] == list(range(1, head + 1))
    changes = RoutingReader(client(), NAMES).changes_after(table, 0)
    assert set(changes.put) == {row[table.key] for row in rows(table)}
    return head


def test_of_a_batch_s_requests_half_are_throttled(aws: FaultyAws, services: Services, queue: QueuePoller) -> None:
    bodies, truth = permissions(40, 1)
    for body in bodies:
        queue.send(body)
    polls, longest = 0, 0.0
    with aws.faults(half_of_dynamodb(1)) as requests, skipped_waits() as waits:
        while True:
            before = waits.seconds
            if not queue.poll(services):
                break
            polls, longest = polls + 1, max(longest, waits.seconds - before)
    note("half of a batch's requests", polls=polls, waited=waits.seconds, longest=longest, **count(requests))
    assert addresses() == truth
    assert queue.dead() == []
    assert longest < TIME_LIMIT
    # Jobs about one address in one batch are one change of it.
    assert len(truth) <= check_journal(Table.ADDRESSES) <= len(bodies)


@pytest.mark.parametrize("fault", THROTTLES)
def test_dynamodb_throttles_altogether_and_recovers_before_the_last_receive(
    aws: FaultyAws, services: Services, queue: QueuePoller, fault: Fault
) -> None:
    bodies, truth = permissions(10, 2)
    for body in bodies:
        queue.send(body)
    with aws.faults(all_of("dynamodb", fault)) as requests, skipped_waits() as waits:
        for _ in range(MAXIMUM_RECEIVES - 1):
            before = waits.seconds
            assert queue.poll(services) == len(bodies)
            assert waits.seconds - before < TIME_LIMIT
    note(f"nine receives, all {fault.value}", waited=waits.seconds, **count(requests))
    assert addresses() == {}
    assert queue.poll(services) == len(bodies)
    assert addresses() == truth
    assert queue.dead() == []
    head = check_journal(Table.ADDRESSES)
    assert queue.poll(services) == 0
    assert check_journal(Table.ADDRESSES) == head


def test_dynamodb_throttles_for_longer_than_the_last_receive(
    aws: FaultyAws, services: Services, queue: QueuePoller
) -> None:
    bodies, _ = permissions(10, 3)
    for body in bodies:
        queue.send(body)
    with aws.faults(all_of("dynamodb", Fault.THROTTLED)), skipped_waits():
        for _ in range(MAXIMUM_RECEIVES):
            assert queue.poll(services) == len(bodies)
        assert queue.poll(services) == 0
    assert addresses() == {}
    assert sorted(queue.dead()) == sorted(bodies)


def test_of_the_requests_for_task_events_half_are_throttled(aws: FaultyAws, services: Services) -> None:
    events = [task_event(f"switch-{number}", ip=f"10.0.0.{number}") for number in range(6)]
    events += [
        task_event(f"switch-{number}", ip=f"10.0.0.{number}", last_status="STOPPED", version=4) for number in (1, 3)
    ]
    retries = LambdaRetries(services)
    with aws.faults(half_of_dynamodb(4)) as requests, skipped_waits() as waits:
        for event in events:
            retries.put(event)
    note("half of events' requests", invocations=retries.invocations, waited=waits.seconds, **count(requests))
    assert retries.failures == []
    assert {row["dst_uri"] for row in rows(Table.LOAD_BALANCER_TARGETS)} == {
        f"sip:10.0.0.{number}:{port}" for number in (0, 2, 4, 5) for port in (5060, 5080)
    }
    assert check_journal(Table.LOAD_BALANCER_TARGETS) == 2 * len(events)


@pytest.mark.parametrize("fault", THROTTLES)
def test_an_event_that_dynamodb_throttles_altogether_is_tried_three_times_and_kept(
    aws: FaultyAws, services: Services, fault: Fault
) -> None:
    event, retries = task_event("switch-1"), LambdaRetries(services)
    with aws.faults(all_of("dynamodb", fault)) as requests, skipped_waits() as waits:
        retries.put(event)
    note(f"an event, all {fault.value}", invocations=retries.invocations, waited=waits.seconds, **count(requests))
    assert (retries.failures, retries.invocations) == ([event], 3)
    assert waits.seconds / 3 < TIME_LIMIT
    assert rows(Table.LOAD_BALANCER_TARGETS) == []
    services(event)
    assert check_journal(Table.LOAD_BALANCER_TARGETS) == 2


def test_answers_that_get_lost_after_the_write_do_nothing_twice(
    aws: FaultyAws, services: Services, queue: QueuePoller
) -> None:
    """What was done and not answered is asked for again; so nothing may change a second time."""
    bodies, truth = permissions(40, 5)
    for body in bodies:
        queue.send(body)
    retries = LambdaRetries(services)
    events = [task_event(f"switch-{number}", ip=f"10.0.0.{number}") for number in range(6)]
    lost = share(0.5, 5, Fault.LOST)
    with (
        aws.faults(lambda request: lost(request) if request.service == "dynamodb" else None) as requests,
        skipped_waits(),
    ):
        while queue.poll(services):
            pass
        for event in events:
            retries.put(event)
    note("half of all answers lost", invocations=retries.invocations, **count(requests))
    assert retries.failures == []
    assert addresses() == truth
    assert queue.dead() == []
    check_journal(Table.ADDRESSES)
    assert check_journal(Table.LOAD_BALANCER_TARGETS) == 12
