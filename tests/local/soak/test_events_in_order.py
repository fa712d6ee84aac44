"""Which events of a call that went well are as they should be."""

import pytest

from local.soak.checks import in_order


@pytest.mark.parametrize("events", [["answered", "completed"], ["ringing", "answered", "completed"]])
def test_in_order(events: list[str]) -> None:
    assert in_order(events)


@pytest.mark.parametrize(
    "events",
    [
        [],
        ["answered"],
        ["completed"],
        ["completed", "answered"],
        ["answered", "answered", "completed"],
        ["answered", "completed", "completed"],
        ["answered", "ringing", "completed"],
    ],
)
def test_out_of_order(events: list[str]) -> None:
    assert not in_order(events)
