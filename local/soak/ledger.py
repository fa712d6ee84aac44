"""The ledger of calls: each that was placed is accounted for in the end, or it is lost."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_SLACK_SECONDS = 0.5
"""Between a process's end and what it says of it to others."""


@dataclass
class Placed:
    """A call that was placed.

    Attributes:
        number: that it was placed to; no other call has it.
        kind: what should become of it.
        began, ended: monotonic seconds.
        sid: the platform's name for it, once that is known.
        switch: address of the switch that has it, once that is known.
        refused: the known reason for which it was refused, as it should be.
        problem: what went otherwise than it should.

    """

    number: str
    kind: str
    began: float
    ended: float = 0.0
    sid: str = ""
    switch: str = ""
    refused: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Outage:
    """A process that was killed.

    Attributes:
        process: its name.
        switch: address of the switch that it belonged to.
        began, ended: monotonic seconds, from the signal until gateways gave its switch calls again.

    """

    process: str
    switch: str
    began: float
    ended: float

    def excuses(self, call: Placed) -> bool:
        """Tell whether a call was lost for it: it was the call's switch, or nobody knows the call's."""
        overlaps = call.began <= self.ended + _SLACK_SECONDS and call.ended >= self.began - _SLACK_SECONDS
        return overlaps and call.switch in ("", self.switch)


@dataclass
class Account:
    """What became of calls of one kind.

    Attributes:
        placed: how many there were.
        completed: those that went as they should.
        refused: how many for which known reason.
        killed: those on a killed process.
        lost: those that nothing accounts for.

    """

    placed: int = 0
    completed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    killed: int = 0
    lost: list[Placed] = field(default_factory=list)


def accounts(calls: Iterable[Placed], outages: Sequence[Outage]) -> dict[str, Account]:
    """Return what became of calls, by their kind."""
    found: dict[str, Account] = {}
    for call in calls:
        account = found.setdefault(call.kind, Account())
        account.placed += 1
        if not call.problem:
            if call.refused:
                account.refused[call.refused] += 1
            else:
                account.completed += 1
        elif any(outage.excuses(call) for outage in outages):
            account.killed += 1
        else:
            account.lost.append(call)
    return found
