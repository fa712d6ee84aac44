"""How far behind a reading of a gateway is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from routing import RoutingReader, Table
from switch_operator.gateways import Reading

ALLOWED_SECONDS: Final = 120.0
"""A change that waited longer than this is a problem: schedulers look twice a second, and what CloudWatch has is of the
last minute or two."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a gateway is behind in one table.

    Attributes:
        table: the table.
        position: how far the gateway had applied the journal.
        head: where the journal is now.
        waiting_seconds: how long the oldest change that is missing had waited when the gateway said where it is; None
            when none had, or none that the journal still has.

    """

    table: Table
    position: int
    head: int
    waiting_seconds: float | None

    @property
    def changes(self) -> int:
        """Changes that the gateway had not applied then, those that came since included."""
        return max(self.head - self.position, 0)

    @property
    def is_late(self) -> bool:
        """Whether a change waits for longer than it ever should."""
        return self.waiting_seconds is not None and self.waiting_seconds > ALLOWED_SECONDS


def lags(reader: RoutingReader, heads: Mapping[Table, int], readings: Sequence[Reading]) -> list[list[Lag]]:
    """Return for each reading how far it is behind in each of its tables."""
    return [
        [
            _lag(reader, table, position, heads.get(table, 0), reading.at)
            for table, position in reading.positions.items()
        ]
        for reading in readings
    ]


def _lag(reader: RoutingReader, table: Table, position: int, head: int, at: float) -> Lag:
    missing = reader.entries(table, position + 1, position + 1) if head > position else []
    waited = max((at - entry.at for entry in missing), default=None)
    if head > position and not missing:
        waited = float("inf")  # it has expired from the journal, after a day
    return Lag(table, position, head, waited if waited is not None and waited > 0 else None)


def trouble(reading: Reading, lags: Sequence[Lag]) -> str | None:
    """Return what is wrong with a gateway, None when nothing is."""
    if reading.problem is not None:
        return f"does not answer: {reading.problem}"
    if reading.stale:
        return "its data is stale" if reading.data_age is None else f"its data is stale: {reading.data_age:.0f} s old"
    late = [lag for lag in lags if lag.is_late]
    if late:
        return ", ".join(f"{lag.changes} changes behind in {lag.table.value}" for lag in late)
    return None
