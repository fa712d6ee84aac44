"""Steps that are shown as they are done, each awaited with a bound."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.errors import StepFailed

T = TypeVar("T")
_TITLE_WIDTH = 44
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        title: what happens, for whoever watches.
        do: makes it happen, awaits what it should come to, and returns what was seen.

    """

    title: str
    do: Callable[[], str]


class Waiting:
    """Waits for things to come true.

    Args:
        seconds: how long at most.

    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._given_up = threading.Event()

    def give_up(self) -> None:
        """End every wait that is under way in another thread, and every later one."""
        self._given_up.set()

    def until(self, what: str, read: Callable[[], T], is_so: Callable[[T], bool]) -> T:
        """Read again and again until it is so, and return what was read.

        Raises:
            StepFailed: naming what was waited for, and what was read last.

        """
        deadline = time.monotonic() + self._seconds
        while True:
            value = read()
            if is_so(value):
                return value
            if time.monotonic() >= deadline:
                raise StepFailed(f"waited {self._seconds:g} seconds for {what}; the last that was seen is {value!r}")
            if self._given_up.wait(_PAUSE_SECONDS):
                raise StepFailed(f"no longer waits for {what}")


def show(steps: Sequence[Step], console: Console, clock: Callable[[], float] = time.monotonic) -> None:
    """Do the steps one after the other, a line of a table each.

    Raises:
        Exception: what a step raised, after its line said that it failed.

    """
    console.print(_line("", "Step", "What was seen", "Time", style="bold"))
    for number, step in enumerate(steps, start=1):
        began = clock()
        try:
            seen = step.do()
        except Exception:
            console.print(_line(str(number), step.title, "FAILED", _seconds(clock() - began), style="bold red"))
            raise
        console.print(_line(str(number), step.title, seen, _seconds(clock() - began)))


def _seconds(duration: float) -> str:
    return f"{duration:.1f} s"


def _line(number: str, title: str, seen: str, duration: str, style: str = "") -> Table:
    line = Table.grid(padding=(0, 1), expand=True)
    line.add_column(width=2, justify="right")
    line.add_column(width=_TITLE_WIDTH)
    line.add_column(ratio=1)
    line.add_column(width=7, justify="right")
    line.add_row(*(Text(cell, style=style) for cell in (number, title, seen, duration)))
    return line
