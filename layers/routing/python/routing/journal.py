"""The change journal's items: which keys of a table changed, in one order without gap or repetition.

In the journal's table, partition `<table>` holds the changes 1, 2, 3 … and, at 0, the head: the number of the last
one. Partition `<table>#<key>` holds at 0 the order item of that key (`routing.changes`). A write of a row moves the
head on condition that nobody else did, in the same transaction, so whoever reads the changes after N misses nothing.
"""

from dataclasses import dataclass
from enum import StrEnum

from routing.attribute_values import Item, WireItem, encode
from routing.errors import InvalidRecord
from routing.tables import Table

CHANGE_SECONDS = 24 * 3600
"""How long a change stays in the journal; a reader that was away for longer reads the table whole."""

HEAD_SEQ = 0


class Operation(StrEnum):
    """What a change did to its key, as readers see it."""

    PUT = "put"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class DatedEntry:
    """An entry as it is read: the change `seq` of a key, and when it was made (seconds since the epoch)."""

    seq: int
    key: str
    operation: Operation
    at: int

    @classmethod
    def from_item(cls, item: Item) -> "DatedEntry":
        """Read an item; when it was made is told by when it expires."""
        seq, expires = item["seq"], item["expires"]
        if not isinstance(seq, int) or not isinstance(expires, int):
            raise InvalidRecord(f"journal entry {item.get('table')} {seq!r}: seq or expires is no number")
        return cls(seq, str(item["key"]), Operation(str(item["operation"])), expires - CHANGE_SECONDS)


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One change: the row of `key` was put or deleted."""

    table: Table
    seq: int
    key: str
    operation: Operation

    def to_item(self, now: int) -> Item:
        """Return the entry as an item that expires `CHANGE_SECONDS` after `now` (seconds since the epoch)."""
        return {
            "table": self.table.value,
            "seq": self.seq,
            "key": self.key,
            "operation": self.operation.value,
            "expires": now + CHANGE_SECONDS,
        }


def head_key(table: Table) -> WireItem:
    """Return the key of a table's head item."""
    return encode({"table": table.value, "seq": HEAD_SEQ})


def order_key(table: Table, key: str) -> WireItem:
    """Return the key of the order item of one row."""
    return encode({"table": f"{table.value}#{key}", "seq": HEAD_SEQ})
