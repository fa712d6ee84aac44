"""What the page shows now, and what changed since it was last asked. It does no input or output.

A collection holds rows of one kind by key. A row that is put and is as it was is no change; changes of one row between
two looks are one. Collections that grow by themselves (events, problems, calls) are bounded by who fills them.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from local.live.rows import COLLECTIONS, Row

Patch = dict[str, dict[str, Any]]
"""`put`: rows by collection and key; `remove`: keys by collection."""


class Model:
    """The rows there are."""

    def __init__(self) -> None:
        self._rows: dict[type[Row], dict[str, Row]] = {kind: {} for kind in COLLECTIONS}
        self._changed: dict[tuple[type[Row], str], Row | None] = {}
        """What a row was when it was last told; None for one that was not there."""

    @property
    def kinds(self) -> tuple[type[Row], ...]:
        """Every kind of row there may be."""
        return tuple(self._rows)

    def put(self, key: str, row: Row) -> None:
        """Have a row."""
        rows = self._rows[type(row)]
        if rows.get(key) == row:
            return
        self._note(type(row), key)
        rows[key] = row

    def remove(self, kind: type[Row], key: str) -> None:
        """Have a row no more."""
        if key in self._rows[kind]:
            self._note(kind, key)
            del self._rows[kind][key]

    def replace(self, kind: type[Row], rows: Mapping[str, Row]) -> None:
        """Have exactly these rows of a kind."""
        for key in [key for key in self._rows[kind] if key not in rows]:
            self.remove(kind, key)
        for key, row in rows.items():
            self.put(key, row)

    def keys(self, kind: type[Row]) -> list[str]:
        """Return the keys of a kind, in the order in which their rows came."""
        return list(self._rows[kind])

    def get(self, kind: type[Row], key: str) -> Row | None:
        """Return a row; None when there is none."""
        return self._rows[kind].get(key)

    def take(self) -> Patch | None:
        """Return what changed since the last time; None when nothing did."""
        put: dict[str, dict[str, Any]] = {}
        removed: dict[str, list[str]] = {}
        for (kind, key), before in self._changed.items():
            row = self._rows[kind].get(key)
            if row == before:
                continue
            if row is None:
                removed.setdefault(COLLECTIONS[kind], []).append(key)
            else:
                put.setdefault(COLLECTIONS[kind], {})[key] = asdict(row)
        self._changed.clear()
        return {"put": put, "remove": removed} if put or removed else None

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """Return every row, by collection and key."""
        return {name: {key: asdict(row) for key, row in self._rows[kind].items()} for kind, name in COLLECTIONS.items()}

    def _note(self, kind: type[Row], key: str) -> None:
        self._changed.setdefault((kind, key), self._rows[kind].get(key))
