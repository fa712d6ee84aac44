"""How the scheduler does at one moment: what `GET /health` tells, and what the metrics count."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from opensips_scheduler.loaded_rows import LoadedRow
from routing import Table

STALE_AFTER_SECONDS: Final = 60.0
"""Data older than this is reported as stale. The gateway goes on with it, so it does not make the sidecar unhealthy:
replacing the task would end calls and lose the last good copy."""


@dataclass(frozen=True, slots=True)
class State:
    """One moment.

    Attributes:
        ready: whether OpenSIPS may start.
        age: seconds since the file was known to be as DynamoDB has the tables; None before that.
        journal_lag: changes that were not applied at the last look at the journal.
        positions: how far the journal of each table is applied.
        rows: rows of each table.
        skipped: rows that could not be written, by table and key, with the reason.
        former_targets: switches that are known only for the calls that they may still have.
        dropped: rows that were written and that OpenSIPS does not have.
        reloads_due: reloads that OpenSIPS has not answered.
        reload_seconds: how long the last of each took.
        contacts_waiting: changes of contacts that are not in DynamoDB yet; None where there are no contacts.
        media_proxies: the proxies that take new calls; None where there are none.
        silent_event_sockets: event sockets of switches that do not answer.
        errors: what goes wrong now, by part.

    """

    ready: bool
    age: float | None
    journal_lag: int
    positions: Mapping[Table, int]
    rows: Mapping[Table, int]
    skipped: Mapping[tuple[Table, str], str]
    former_targets: int
    dropped: Mapping[Table, Collection[LoadedRow]]
    reloads_due: Collection[str]
    reload_seconds: Mapping[str, float]
    contacts_waiting: int | None
    media_proxies: Collection[str] | None
    silent_event_sockets: Collection[str]
    errors: Mapping[str, str]

    @property
    def _is_stale(self) -> bool:
        return self.age is None or self.age > STALE_AFTER_SECONDS

    def report(self) -> dict[str, Any]:
        """Return what `GET /health` says."""
        return {
            "healthy": self.ready,
            "age_seconds": None if self.age is None else round(self.age, 3),
            "stale": self._is_stale,
            "journal_lag": self.journal_lag,
            "positions": {table.value: position for table, position in self.positions.items()},
            "rows": {table.value: count for table, count in self.rows.items()},
            "former_targets": self.former_targets,
            "skipped": [f"{table.value} {key}: {reason}" for (table, key), reason in self.skipped.items()],
            "dropped": [
                f"{table.value} {' '.join(filter(None, row))}"
                for table, rows in self.dropped.items()
                for row in sorted(rows)
            ],
            "reloads_due": list(self.reloads_due),
            "reload_seconds": dict(self.reload_seconds),
            "contacts_waiting": self.contacts_waiting,
            "media_proxies": sorted(self.media_proxies or ()),
            "silent_event_sockets": sorted(self.silent_event_sockets),
            "errors": dict(self.errors),
        }

    def metrics(self) -> Iterator[tuple[dict[str, float], dict[str, str]]]:
        """Yield metrics that share their dimensions, with those beside the gateway's."""
        values: dict[str, float] = {
            "DataStale": float(self._is_stale),
            "JournalLag": self.journal_lag,
            "FormerTargets": self.former_targets,
            "RowsSkipped": len(self.skipped),
            "RowsDropped": sum(len(rows) for rows in self.dropped.values()),
            "EventSocketsSilent": len(self.silent_event_sockets),
            "OpensipsUnreachable": float("opensips" in self.errors),
        }
        if self.age is not None:
            values["DataAge"] = self.age
        if self.contacts_waiting is not None:
            values["ContactsWaiting"] = self.contacts_waiting
        if self.media_proxies is not None:
            values["MediaProxiesUsable"] = len(self.media_proxies)
        yield values, {}
        for table, count in self.rows.items():
            position = {"JournalPosition": self.positions[table]} if table in self.positions else {}
            yield {"Rows": count, **position}, {"table": table.value}
        for command, seconds in self.reload_seconds.items():
            yield {"ReloadTime": seconds}, {"command": command}
