"""DynamoDB's wire form of the few value types that the routing tables use.

boto3's own serializer covers far more types at the price of `Decimal` numbers everywhere; these tables hold only
strings, whole numbers, flags and sets of strings.
"""

from collections.abc import Mapping
from typing import Any

from routing.errors import InvalidRecord

Value = str | int | bool | frozenset[str]
"""A value as the code holds it."""
Item = Mapping[str, Value]
"""An item as the code holds it."""
WireItem = dict[str, Any]
"""An item as the low-level DynamoDB client takes and returns it."""


def encode(item: Item) -> WireItem:
    """Turn an item into the form that the low-level client takes."""
    return {name: _encode(value) for name, value in item.items()}


def decode(item: Mapping[str, Any]) -> dict[str, Value]:
    """Turn a low-level item into plain values.

    Raises:
        InvalidRecord: for a value of a type that the routing tables do not use, naming the attribute.

    """
    return {name: _decode(name, value) for name, value in item.items()}


def _encode(value: Value) -> dict[str, Any]:
    # bool before int: in Python True is an int, and DynamoDB would store it as the number 1.
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, frozenset):
        return {"SS": sorted(value)}
    return {"S": value}


def _decode(name: str, wire: Mapping[str, Any]) -> Value:
    match wire:
        case {"S": str(text)}:
            return text
        case {"N": str(number)}:
            try:
                return int(number)
            except ValueError:
                raise InvalidRecord(f"attribute {name} is {number}, not a whole number") from None
        case {"BOOL": bool(flag)}:
            return flag
        case {"SS": members}:
            return frozenset(members)
    raise InvalidRecord(f"attribute {name} has the DynamoDB type {next(iter(wire), '?')}, which no routing table uses")
