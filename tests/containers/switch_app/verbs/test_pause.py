"""`<Pause>`."""

import pytest

from switch_app.call import Silence
from tests.support.switch_session import Run


@pytest.mark.parametrize(
    ("attributes", "seconds"), [("", 1), ('length="30"', 30), ('length="x"', 1), ('length="0"', 0)]
)
def test_a_caller_who_is_answered_hears_nothing_for_a_while(attributes: str, seconds: int) -> None:
    run = Run(f"<Response><Say>a</Say><Pause {attributes}/><Say>b</Say></Response>")
    assert run.call.played[1] == Silence(seconds)
    assert run.call.heard[2].at == pytest.approx(1 + seconds)


def test_a_leading_pause_lets_it_ring() -> None:
    run = Run('<Response><Pause length="10"/><Reject/></Response>')
    assert run.call.done == ["reject"]
    assert run.call.now == pytest.approx(10)


def test_a_caller_who_leaves_while_it_rings_ends_it() -> None:
    run = Run(
        '<Response><Pause length="10"/><Say>a</Say></Response>', script=lambda run: run.call.after(3, run.call.end)
    )
    assert run.call.done == []
    assert run.call.now == pytest.approx(3)
