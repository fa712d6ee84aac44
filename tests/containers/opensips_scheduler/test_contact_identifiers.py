"""Restored contacts have numbers that OpenSIPS takes for its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensips_scheduler.contact_identifiers import ContactIdentifiers, hash_of

SEEN = {"user1": 1829824657478013106}
"""Numbers that OpenSIPS 3.6.8 gave."""


@pytest.mark.parametrize(("aor", "identifier"), SEEN.items())
def test_the_hash_is_opensips_s(aor: str, identifier: int) -> None:
    assert hash_of(aor) & 0xFFFF == identifier >> 46


@given(st.lists(st.sampled_from(["user1", "user2", "a", "", "x" * 70]), max_size=60))
def test_no_number_comes_twice_and_contacts_of_one_record_share_its_number(aors: list[str]) -> None:
    identifiers = ContactIdentifiers()
    made = [(aor, identifiers.next(aor)) for aor in aors]
    assert len({number for _, number in made}) == len(made)
    records = {(aor, number >> 14) for aor, number in made if number is not None}
    assert len(records) == len(set(aors))
    assert all(number is not None and 0 < number < 1 << 62 for _, number in made)


def test_what_is_not_ascii_is_left_to_opensips() -> None:
    assert ContactIdentifiers().next("usér1") is None
