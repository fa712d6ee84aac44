"""Steps are shown as they are done, and awaited with a bound."""

import io

import pytest
from rich.console import Console

from local.errors import StepFailed
from local.steps import Step, Waiting, show


def shown(steps: list[Step]) -> tuple[list[str], Exception | None]:
    out = io.StringIO()
    failure = None
    ticks = iter(range(0, 1_000, 2))
    try:
        show(steps, Console(file=out, width=120), lambda: float(next(ticks)))
    except StepFailed as error:
        failure = error
    return [" ".join(line.split()) for line in out.getvalue().splitlines()], failure


def test_each_step_is_a_line_with_what_was_seen_and_how_long_it_took() -> None:
    lines, failure = shown([Step("one", lambda: "a row"), Step("two", lambda: "[bold]no markup[/]")])
    assert lines == ["Step What was seen Time", "1 one a row 2.0 s", "2 two [bold]no markup[/] 2.0 s"]
    assert failure is None


def test_a_failing_step_is_the_last_and_says_so() -> None:
    def fail() -> str:
        raise StepFailed("waited for nothing")

    done: list[str] = []
    lines, failure = shown([Step("one", fail), Step("two", lambda: done.append("two") or "done")])
    assert lines[1:] == ["1 one FAILED 2.0 s"]
    assert str(failure) == "waited for nothing"
    assert done == []


def test_waiting_ends_as_soon_as_it_is_so() -> None:
    values = iter(range(10))
    assert Waiting(5).until("three", lambda: next(values), lambda value: value == 3) == 3


def test_waiting_gives_up_and_says_what_was_seen_last() -> None:
    with pytest.raises(StepFailed, match=r"waited 0\.2 seconds for the row; the last that was seen is \['another'\]"):
        Waiting(0.2).until("the row", lambda: ["another"], lambda keys: keys == ["row"])


def test_what_is_so_at_once_needs_no_time() -> None:
    assert Waiting(0).until("it", lambda: 1, lambda value: value == 1) == 1
