"""What a gateway's scheduler may do with the routing tables: action by action, table by table."""

from collections.abc import Mapping
from typing import Final

from aws_cdk import aws_iam as iam

from cdk.constructs.routing_tables import (
    ADDRESSES,
    DOMAINS,
    LOAD_BALANCER_TARGETS,
    MEDIA_PROXIES,
    REGISTRATIONS,
    ROUTING_CHANGES,
    SUBSCRIBERS,
    RoutingTables,
    TableShape,
)

# A table is read whole at the start, and then by the keys that the journal names. The tests hold these lists to what
# the scheduler is seen to do.
_ROWS = ("dynamodb:BatchGetItem", "dynamodb:Scan")
_JOURNAL = ("dynamodb:BatchGetItem", "dynamodb:Query")

Access = Mapping[TableShape, tuple[str, ...]]

PUBLIC_GATEWAY: Final[Access] = {LOAD_BALANCER_TARGETS: _ROWS, ADDRESSES: _ROWS, ROUTING_CHANGES: _JOURNAL}

CLIENT_GATEWAY: Final[Access] = {
    LOAD_BALANCER_TARGETS: _ROWS,
    SUBSCRIBERS: _ROWS,
    DOMAINS: _ROWS,
    MEDIA_PROXIES: _ROWS,
    ROUTING_CHANGES: _JOURNAL,
    # Contacts are written as clients register, and read back by a gateway that starts with an empty file.
    REGISTRATIONS: ("dynamodb:BatchWriteItem", "dynamodb:Scan"),
}


def table_names(tables: RoutingTables, access: Access) -> dict[str, str]:
    """Return the environment that tells a scheduler the names of the tables that it uses."""
    return {shape.environment_variable: tables[shape].table_name for shape in access}


def grant_scheduler_access(role: iam.IRole, *, tables: RoutingTables, access: Access) -> None:
    """Grant a gateway's task role what its scheduler does."""
    for shape, actions in access.items():
        tables[shape].grant(role, *actions)
