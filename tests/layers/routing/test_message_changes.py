"""Rows made from the platform's messages: the outcome is that of the order in which they were sent."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from routing import (
    Address,
    Change,
    DeleteAddress,
    DeleteSubscriber,
    PutAddress,
    PutSubscriber,
    SetAddressGroup,
    Subscriber,
)
from routing.changes import Stored

IP = "165.57.32.1"
NOW = 1_700_000_000


def subscriber(digit: str) -> Subscriber:
    return Subscriber("user1", digit * 32, digit * 64, digit * 64)


def outcome(changes: Sequence[Change], stored: Stored | None = None) -> Stored:
    stored = stored or Stored()
    for change in changes:
        stored = change.apply(stored, NOW)
    return stored


def as_address_jobs(kinds: Sequence[tuple[str, int]]) -> list[Change]:
    made: list[Change] = []
    for sent_at, (kind, group_id) in enumerate(kinds, start=1):
        match kind:
            case "put":
                made.append(PutAddress(Address(IP, group_id), sent_at))
            case "group":
                made.append(SetAddressGroup(IP, group_id, sent_at))
            case _:
                made.append(DeleteAddress(IP, sent_at))
    return made


def plain_address_outcome(kinds: Sequence[tuple[str, int]]) -> dict[str, object] | None:
    """What a database does that gets every statement once and in order."""
    row: dict[str, object] | None = None
    for kind, group_id in kinds:
        if kind == "put":
            row = {"source_ip": IP, "group_id": group_id}
        elif kind == "delete":
            row = None
        elif row is not None:
            row = {"source_ip": IP, "group_id": group_id}
    return row


kinds = st.lists(st.tuples(st.sampled_from(["put", "group", "delete"]), st.integers(0, 5)), min_size=1, max_size=7)


@given(kinds, st.data())
def test_any_order_of_address_jobs_ends_as_the_order_of_sending_would(
    sent: list[tuple[str, int]], data: st.DataObject
) -> None:
    jobs = as_address_jobs(sent)
    delivered = data.draw(st.permutations(jobs + data.draw(st.lists(st.sampled_from(jobs), max_size=5))))
    settled = outcome(delivered)
    assert settled.row == plain_address_outcome(sent)
    for job in jobs:
        assert job.apply(settled, NOW + 60) is settled


@given(st.lists(st.sampled_from("ab-"), min_size=1, max_size=7), st.data())
def test_any_order_of_subscriber_jobs_ends_as_the_order_of_sending_would(sent: list[str], data: st.DataObject) -> None:
    jobs: list[Change] = [
        DeleteSubscriber("user1", sent_at) if digit == "-" else PutSubscriber(subscriber(digit), sent_at)
        for sent_at, digit in enumerate(sent, start=1)
    ]
    delivered = data.draw(st.permutations(jobs + data.draw(st.lists(st.sampled_from(jobs), max_size=5))))
    settled = outcome(delivered)
    assert settled.row == (None if sent[-1] == "-" else subscriber(sent[-1]).to_item())
    for job in jobs:
        assert job.apply(settled, NOW + 60) is settled


def test_of_a_creation_and_a_deletion_sent_at_once_the_deletion_wins() -> None:
    put, delete = PutAddress(Address(IP, 1), 5), DeleteAddress(IP, 5)
    assert outcome([put, delete]).row is None
    assert outcome([delete, put]).row is None


def test_a_row_that_was_there_before_its_order_was_kept_obeys_every_job() -> None:
    seeded = Stored({"source_ip": IP, "group_id": 2})
    assert outcome([SetAddressGroup(IP, 1, 7)], seeded).row == {"source_ip": IP, "group_id": 1}
    assert outcome([DeleteAddress(IP, 7)], seeded).row is None
    assert outcome([PutAddress(Address(IP, 3), 7)], seeded).row == {"source_ip": IP, "group_id": 3}


def test_nothing_secret_is_remembered_beside_the_journal() -> None:
    settled = outcome([PutSubscriber(subscriber("a"), 5)])
    assert settled.order == {"presence_at": 5, "expires": NOW + 14 * 86_400}
