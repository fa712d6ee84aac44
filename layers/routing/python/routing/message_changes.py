"""Changes of rows that the platform's messages make: addresses and subscribers.

Whether a row is there, and an address's group, are each a register that keeps the value sent last. Registers of this
kind give one outcome for every order of delivery and every repetition (a last-writer-wins register: Shapiro et al.,
"A comprehensive study of convergent and commutative replicated data types", 2011, section 3.2). Of a creation and a
deletion sent in one millisecond the deletion wins: a permission too few is noticed, one too many is not.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from routing.attribute_values import Value
from routing.changes import Stored
from routing.fields import check_number, normalise_source_ip
from routing.records import Address, Subscriber, check_username
from routing.tables import Table

MESSAGE_ORDER_SECONDS = 14 * 24 * 3600
"""How long the order of messages about a key is remembered: the longest that SQS keeps a message."""


def _presence_at(stored: Stored) -> int:
    value = (stored.order or {}).get("presence_at", 0)
    return value if isinstance(value, int) else 0


def _put_wins(stored: Stored, sent_at: int) -> bool:
    presence_at = _presence_at(stored)
    return sent_at > presence_at or (sent_at == presence_at and stored.row is not None)


def _is_repetition(stored: Stored, sent_at: int) -> bool:
    return stored.order is not None and sent_at == _presence_at(stored)


@dataclass(frozen=True, slots=True)
class PutSubscriber:
    """The platform created a client's credentials at `sent_at` (milliseconds since the epoch)."""

    table: ClassVar[Table] = Table.SUBSCRIBERS
    subscriber: Subscriber
    sent_at: int

    @property
    def key(self) -> str:
        """The key of the row."""
        return self.subscriber.key

    def apply(self, stored: Stored, now: int) -> Stored:
        """See `Change.apply`."""
        if not _put_wins(stored, self.sent_at):
            return stored
        row = self.subscriber.to_item()
        if stored.row == row and _is_repetition(stored, self.sent_at):
            return stored
        return Stored(row, {"presence_at": self.sent_at, "expires": now + MESSAGE_ORDER_SECONDS})


@dataclass(frozen=True, slots=True)
class DeleteSubscriber:
    """The platform deleted a client's credentials at `sent_at` (milliseconds since the epoch)."""

    table: ClassVar[Table] = Table.SUBSCRIBERS
    username: str
    sent_at: int

    def __post_init__(self) -> None:
        check_username(self.username)

    @property
    def key(self) -> str:
        """The key of the row."""
        return self.username

    def apply(self, stored: Stored, now: int) -> Stored:
        """See `Change.apply`."""
        if self.sent_at < _presence_at(stored):
            return stored
        if stored.row is None and _is_repetition(stored, self.sent_at):
            return stored
        return Stored(None, {"presence_at": self.sent_at, "expires": now + MESSAGE_ORDER_SECONDS})


@dataclass(frozen=True, slots=True)
class _AddressOrder:
    """When an address was last created or deleted, and which group was last named for it, and when."""

    presence_at: int
    group_at: int
    group_id: int

    @classmethod
    def of(cls, stored: Stored) -> "_AddressOrder":
        item: dict[str, Value] = dict(stored.order or {})
        if stored.row is not None:
            # A row that was there before its order was kept, or has outlived it.
            item.setdefault("group_id", stored.row.get("group_id", 0))
        numbers = {name: item.get(name, 0) for name in ("presence_at", "group_at", "group_id")}
        return cls(**{name: value if isinstance(value, int) else 0 for name, value in numbers.items()})

    def name_group(self, group_id: int, sent_at: int) -> "_AddressOrder":
        if (sent_at, group_id) <= (self.group_at, self.group_id) and self.group_at:
            return self
        return replace(self, group_at=sent_at, group_id=group_id)

    def store(self, stored: Stored, source_ip: str, *, present: bool, now: int) -> Stored:
        row: dict[str, Value] | None = Address(source_ip, self.group_id).to_item() if present else None
        if stored.order is not None and _AddressOrder.of(stored) == self and stored.row == row:
            return stored
        order: dict[str, Value] = {
            "presence_at": self.presence_at,
            "group_at": self.group_at,
            "group_id": self.group_id,
            "expires": now + MESSAGE_ORDER_SECONDS,
        }
        return Stored(row, order)


@dataclass(frozen=True, slots=True)
class PutAddress:
    """The platform permitted a carrier's address at `sent_at` (milliseconds since the epoch)."""

    table: ClassVar[Table] = Table.ADDRESSES
    address: Address
    sent_at: int

    @property
    def key(self) -> str:
        """The key of the row."""
        return self.address.key

    def apply(self, stored: Stored, now: int) -> Stored:
        """See `Change.apply`."""
        order = _AddressOrder.of(stored).name_group(self.address.group_id, self.sent_at)
        present = stored.row is not None
        if _put_wins(stored, self.sent_at):
            present, order = True, replace(order, presence_at=self.sent_at)
        return order.store(stored, self.key, present=present, now=now)


@dataclass(frozen=True, slots=True)
class SetAddressGroup:
    """The platform moved a permitted address to another group at `sent_at`; it permits nothing by itself."""

    table: ClassVar[Table] = Table.ADDRESSES
    source_ip: str
    group_id: int
    sent_at: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "source_ip", normalise_source_ip(self.source_ip))
        check_number("group_id", self.group_id)

    @property
    def key(self) -> str:
        """The key of the row."""
        return self.source_ip

    def apply(self, stored: Stored, now: int) -> Stored:
        """See `Change.apply`."""
        order = _AddressOrder.of(stored).name_group(self.group_id, self.sent_at)
        return order.store(stored, self.key, present=stored.row is not None, now=now)


@dataclass(frozen=True, slots=True)
class DeleteAddress:
    """The platform revoked a carrier's address at `sent_at` (milliseconds since the epoch)."""

    table: ClassVar[Table] = Table.ADDRESSES
    source_ip: str
    sent_at: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "source_ip", normalise_source_ip(self.source_ip))

    @property
    def key(self) -> str:
        """The key of the row."""
        return self.source_ip

    def apply(self, stored: Stored, now: int) -> Stored:
        """See `Change.apply`."""
        order = _AddressOrder.of(stored)
        if self.sent_at < order.presence_at:
            return stored
        order = replace(order, presence_at=self.sent_at)
        return order.store(stored, self.key, present=False, now=now)
