"""A leak is seen in samples, and what only goes up and down is not taken for one."""

import random

import pytest

from local.soak.growth import DESCRIPTORS, MEMORY_MEGABYTES, SPAN_MINIMUM, Sample, growth, warm_up


def samples(seconds: int, megabytes: float, descriptors: float, noise: float = 0.0) -> list[Sample]:
    """Return samples of every five seconds, with so much gained a minute."""
    chosen = random.Random(1)
    return [
        Sample(
            1000 + at,
            60 + megabytes * at / 60 + noise * chosen.random(),
            round(40 + descriptors * at / 60 + 20 * noise * chosen.random()),
        )
        for at in range(0, seconds, 5)
    ]


def test_a_process_that_stays_as_it_is_is_flat() -> None:
    found = growth(samples(600, 0, 0), 120)
    assert found is not None
    assert found.is_flat
    assert found.span == 475
    assert (found.memory.first, found.memory.gained, found.memory.allowed) == pytest.approx((60, 0, MEMORY_MEGABYTES))


def test_what_goes_up_and_down_with_calls_is_flat() -> None:
    found = growth(samples(600, 0, 0, noise=2), 120)
    assert found is not None
    assert found.is_flat
    assert found.descriptors.allowed > DESCRIPTORS


def test_memory_that_grows_is_seen() -> None:
    found = growth(samples(600, 1.5, 0, noise=1), 120)
    assert found is not None
    assert not found.memory.is_flat
    assert found.memory.gained == pytest.approx(1.5 * 475 / 60, rel=0.1)


def test_descriptors_that_grow_are_seen() -> None:
    found = growth(samples(600, 0, 3, noise=0.5), 120)
    assert found is not None
    assert found.memory.is_flat
    assert not found.descriptors.is_flat


def test_what_is_taken_while_a_process_warms_up_does_not_count() -> None:
    early = [Sample(940 + at, at, at) for at in range(0, 60, 5)]
    found = growth(early + samples(600, 0, 0), 60)
    assert found is not None
    assert found.is_flat


@pytest.mark.parametrize("seconds", [0, 5, 60, 120 + int(SPAN_MINIMUM) - 5])
def test_of_a_short_life_nothing_is_said(seconds: int) -> None:
    assert growth(samples(seconds, 10, 10), 120) is None


def test_a_short_soak_has_a_short_warm_up() -> None:
    assert (warm_up(40), warm_up(600), warm_up(3600)) == (10, 120, 120)
