"""The actions that AWS asks a right for, of the requests that a program is seen to make."""

from collections.abc import Iterator, Mapping
from typing import Any

Action = tuple[str, str]
"""A table's construct, or nothing, and an action's name in IAM."""


def actions_of(service: str, operation: str, parameters: dict[str, Any], tables: Mapping[str, str]) -> Iterator[Action]:
    """Yield the actions of a request; `tables` has the construct of each table by its name."""
    if operation in ("TransactWriteItems", "TransactGetItems"):
        for item in parameters["TransactItems"]:
            ((kind, request),) = item.items()
            yield tables[request["TableName"]], f"dynamodb:{kind}Item"
    elif operation in ("BatchGetItem", "BatchWriteItem"):
        for name in parameters["RequestItems"]:
            yield tables[name], f"dynamodb:{operation}"
    elif service == "dynamodb":
        yield tables[parameters["TableName"]], f"dynamodb:{operation}"
    else:
        yield "", f"{service}:{operation}"
