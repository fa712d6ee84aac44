"""Rows made from tasks: whatever order events come in, and however often, the outcome is that of the last truth."""

from dataclasses import dataclass

from hypothesis import example, given
from hypothesis import strategies as st

from routing import AddPermanentDomain, Change, Domain, MediaProxy, PutTaskRow, RemoveTaskRow, Table, TaskStamp
from routing.changes import Stored

KEY = "udp:10.0.0.1:2223"
NOW = 1_700_000_000


def running(name: str, version: int, started_at: int | None) -> PutTaskRow:
    return PutTaskRow(MediaProxy(KEY, 0), TaskStamp(name, version, started_at))


def stopped(name: str, version: int, started_at: int | None) -> RemoveTaskRow:
    return RemoveTaskRow(Table.MEDIA_PROXIES, KEY, TaskStamp(name, version, started_at))


def outcome(changes: list[Change], stored: Stored | None = None) -> Stored:
    stored = stored or Stored()
    for change in changes:
        stored = change.apply(stored, NOW)
    return stored


def owner(stored: Stored) -> str | None:
    return str(stored.row["task_arn"]) if stored.is_visible and stored.row else None


@dataclass(frozen=True)
class History:
    """Tasks that had one address one after the other; only the last may still run."""

    events: list[Change]
    survivor: str | None


@st.composite
def histories(draw: st.DrawFn) -> History:
    count = draw(st.integers(1, 4))
    last_runs = draw(st.booleans())
    events: list[Change] = []
    for index in range(count):
        name, started_at = f"task-{index}", 1_000 * (index + 1)
        versions = sorted(draw(st.sets(st.integers(1, 20), min_size=4, max_size=4)))
        events += [running(name, versions[0], started_at), running(name, versions[1], started_at)]
        if index < count - 1 or not last_runs:
            events += [stopped(name, versions[2], started_at), stopped(name, versions[3], started_at)]
    return History(events, f"task-{count - 1}" if last_runs else None)


@given(histories(), st.data())
def test_any_order_and_any_repetition_of_events_has_one_outcome(history: History, data: st.DataObject) -> None:
    repeated = data.draw(st.lists(st.sampled_from(history.events), max_size=6))
    order = data.draw(st.permutations(history.events + repeated))
    assert owner(outcome(list(order))) == history.survivor


@given(histories(), st.data())
def test_repeating_everything_changes_nothing(history: History, data: st.DataObject) -> None:
    order = list(data.draw(st.permutations(history.events)))
    settled = outcome(order)
    for change in data.draw(st.permutations(order)):
        assert change.apply(settled, NOW + 60) is settled


@given(st.permutations([running("a", 1, None), running("a", 2, None), stopped("a", 3, None), stopped("a", 4, None)]))
@example([stopped("a", 3, None), running("a", 2, None), running("a", 1, None), stopped("a", 4, None)])
def test_a_stopped_task_stays_stopped_without_a_time_of_start(order: list[Change]) -> None:
    assert not outcome(order).is_visible


def test_a_stop_never_removes_the_row_of_another_task() -> None:
    for started_at in (None, 500, 1_000, 5_000):
        stored = outcome([running("b", 7, 1_000), stopped("a", 9, started_at)])
        assert owner(stored) == "b"
        assert owner(outcome([running("a", 3, started_at)], stored)) == "b"


def test_a_stop_that_is_remembered_beside_a_row_is_not_written_again_when_that_row_goes() -> None:
    stop = stopped("c", 3, 3_000)
    settled = outcome([running("a", 1, 1_000), stop, stopped("a", 4, 1_000), stopped("b", 4, 2_000)])
    assert outcome([stop], settled) is settled


def test_a_removed_row_is_remembered_for_a_day_with_what_it_was() -> None:
    stored = outcome([running("a", 1, 10), stopped("a", 2, 10)])
    assert stored.row == {
        "socket": KEY,
        "set_id": 0,
        "task_arn": "a",
        "task_version": 2,
        "task_started_at": 10,
        "removed": True,
        "expires": NOW + 86_400,
    }


def test_what_ecs_was_just_seen_to_run_comes_back() -> None:
    buried = outcome([running("a", 3, 10), stopped("a", 3, 10)])
    assert not outcome([running("a", 3, 10)], buried).is_visible
    seen = PutTaskRow(MediaProxy(KEY, 0), TaskStamp("a", 3, 10), observed=True)
    assert owner(outcome([seen], buried)) == "a"
    assert not outcome([PutTaskRow(MediaProxy(KEY, 0), TaskStamp("a", 2, 10), observed=True)], buried).is_visible


def test_no_task_takes_or_removes_a_permanent_domain() -> None:
    stored = outcome([AddPermanentDomain(Domain("10.0.0.1"))])
    task = TaskStamp("a", 1, 10)
    assert (
        outcome([PutTaskRow(Domain("10.0.0.1"), task), RemoveTaskRow(Table.DOMAINS, "10.0.0.1", task)], stored)
        is stored
    )


def test_a_domain_that_a_task_made_can_be_made_permanent() -> None:
    task = TaskStamp("a", 1, 10)
    stored = outcome([PutTaskRow(Domain("10.0.0.1"), task), AddPermanentDomain(Domain("10.0.0.1"))])
    assert stored.row == {"domain": "10.0.0.1"}
    assert outcome([RemoveTaskRow(Table.DOMAINS, "10.0.0.1", task)], stored) is stored


def test_stopped_tasks_beside_a_row_are_bounded() -> None:
    stored = outcome([running("b", 7, 1_000), *[stopped(f"a{n}", 1, None) for n in range(100)]])
    assert stored.order is not None
    assert len(stored.order["stopped_tasks"]) <= 20  # type: ignore[arg-type]
