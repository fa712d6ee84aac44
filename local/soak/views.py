"""What the tables hold, and what the gateways have of them: read as it is, with none of the product's code for it."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from local.soak.truth import Rows
from local.system import LocalSystem
from local.voice.gateway_view import GatewayView
from opensips_scheduler.former_targets import GROUP as FORMER_TARGETS
from routing import Table

_IN_USE = "0"
"""The set of media proxies that new calls get."""


def rows_of(system: LocalSystem, table: Table) -> Rows:
    """Return what a table holds, as the truth tells it."""
    pages = system.dynamodb.get_paginator("scan").paginate(TableName=system.table_names[table], ConsistentRead=True)
    items = [item for page in pages for item in page["Items"] if "removed" not in item]
    return {item[table.key]["S"]: _beside(table, item) for item in items}


def _beside(table: Table, item: Mapping[str, Any]) -> str:
    if table is Table.LOAD_BALANCER_TARGETS:
        return f"group {item['group_id']['N']}, {item['resource']['S']}"
    if table is Table.ADDRESSES:
        return f"group {item['group_id']['N']}"
    return str(item["ha1"]["S"]) if table is Table.SUBSCRIBERS else ""


def targets_of(gateway: GatewayView) -> Rows:
    """Return the switches that a gateway sends calls to."""
    found = (gateway.ask("lb_list") or {}).get("Destinations", [])
    return {
        each["uri"]: f"group {each['group']}, {each['Resources'][0]['name']}"
        for each in found
        if each["group"] != FORMER_TARGETS
    }


def takes_calls(gateway: GatewayView, address: str) -> bool:
    """Tell whether a gateway sends calls to a switch: one that failed gets none until a probe of it is answered."""
    found = (gateway.ask("lb_list") or {}).get("Destinations", [])
    enabled = [each["enabled"] == "yes" for each in found if each["uri"].startswith(f"sip:{address}:")]
    return bool(enabled) and all(enabled)


def addresses_of(gateway: GatewayView) -> Rows:
    """Return who may call through a gateway."""
    found = (gateway.ask("address_dump") or {}).get("Partitions", [])
    return {each["ip"]: f"group {each['grp']}" for part in found for each in part["Destinations"]}


def domains_of(gateway: GatewayView) -> Rows:
    """Return the domains that a gateway takes for its own."""
    return {each["name"]: "" for each in (gateway.ask("domain_dump") or {}).get("Domains", [])}


def media_proxies_of(gateway: GatewayView) -> Rows:
    """Return the media proxies that new calls get."""
    found = gateway.ask("rtpengine_show") or []
    return {node["url"]: "" for each in found if str(each["Set"]) == _IN_USE for node in each["Nodes"]}


def subscribers_of(gateway: GatewayView) -> Rows:
    """Return the clients that a gateway knows; OpenSIPS reads its file at each request."""
    file = gateway.state / "routing.db"
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5) as connection:
        found = dict(connection.execute("SELECT username, ha1 FROM subscriber").fetchall())
    connection.close()
    return found
