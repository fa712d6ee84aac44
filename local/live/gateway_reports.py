"""Reads what a gateway's scheduler and its OpenSIPS say, as far as the page may show it. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.live import fields
from local.live.calls import Dialog
from local.live.rows import Gateway, Position
from local.live.sources import GatewaySource
from routing import Table

_TABLES: Final = frozenset(table.value for table in Table)
_PART: Final = re.compile(r"[a-z][a-z ]{0,39}")
_CONFIRMED: Final = (3, 4)
"""States of OpenSIPS's dialogs that were answered and last (`dlg_hash.h`); 5 is one that has ended."""
_DELETED: Final = 5


@dataclass(frozen=True, slots=True)
class TargetLoad:
    """What OpenSIPS counts at a target: calls, calls that it may have, and whether it answers probes."""

    uri: str
    calls: int
    limit: int
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class Management:
    """What OpenSIPS says: targets, dialogs, how many dialogs there are, and how much it has refused."""

    targets: tuple[TargetLoad, ...]
    dialogs: tuple[Dialog, ...]
    dialog_count: int
    refused: int


def gateway_row(source: GatewaySource, report: object, management: Management | None) -> Gateway:
    """Return a gateway's row.

    Args:
        source: the gateway.
        report: what `GET /health` answered; None where nobody did.
        management: what OpenSIPS says; None where it was not asked or did not answer.

    """
    if not isinstance(report, dict):
        return Gateway(source.name, source.kind, "not reached")
    age = report.get("age_seconds")
    state = "not ready" if report.get("healthy") is not True else "stale" if report.get("stale") is True else "serving"
    positions = report.get("positions")
    return Gateway(
        source.name,
        source.kind,
        state,
        # Less than two seconds is as fresh as it gets: it looks twice a second.
        age=None if not isinstance(age, int | float) else int(age) if age >= 2 else 0,
        lag=fields.number(report.get("journal_lag")),
        positions=tuple(_positions(positions if isinstance(positions, dict) else {})),
        calls=None if management is None else management.dialog_count,
        refused=None if management is None else management.refused,
        contacts_waiting=fields.number(report.get("contacts_waiting")),
        troubles=tuple(_troubles(report, is_silent=source.management_socket is not None and management is None)),
    )


def proxies_in_use(report: object) -> list[str]:
    """Return the media proxies that a client gateway has in use."""
    listed = report.get("media_proxies") if isinstance(report, dict) else None
    return [socket for each in listed or () if (socket := fields.socket_uri(each))] if isinstance(listed, list) else []


def _positions(told: Mapping[str, Any]) -> Iterator[Position]:
    for table, value in sorted(told.items()):
        position = fields.number(value)
        if table in _TABLES and position is not None:
            yield Position(table, position)


def _troubles(report: Mapping[str, Any], *, is_silent: bool) -> Iterator[str]:
    if is_silent:
        yield "OpenSIPS does not answer"
    for name, words in (
        ("skipped", "rows skipped"),
        ("dropped", "rows dropped by OpenSIPS"),
        ("reloads_due", "reloads due"),
        ("silent_event_sockets", "event sockets silent"),
    ):
        if isinstance(listed := report.get(name), list) and listed:
            yield f"{len(listed)} {words}"
    errors = report.get("errors")
    for part in sorted(errors) if isinstance(errors, dict) else ():
        if isinstance(part, str) and _PART.fullmatch(part):
            yield f"{part}: failing"


# --- OpenSIPS's answers


def target_loads(answer: object) -> Iterator[TargetLoad]:
    """Read `lb_list`."""
    for each in _list(answer, "Destinations"):
        uri = fields.socket_uri(each.get("uri"))
        for resource in _list(each, "Resources")[:1]:
            calls, limit = fields.number(resource.get("load")), fields.number(resource.get("max"))
            if uri and calls is not None:
                yield TargetLoad(uri, calls, limit or 0, each.get("enabled") == "yes")


def dialogs(answer: object) -> Iterator[Dialog]:
    """Read `dlg_list`: neither numbers nor SDP are taken from it."""
    for each in _list(answer, "Dialogs"):
        call_id, state = each.get("callid"), fields.number(each.get("state"))
        if not isinstance(call_id, str) or not call_id or len(call_id) > 256 or state is None or state >= _DELETED:
            continue
        callees = [fields.sip_address(callee.get("callee_contact")) for callee in _list(each, "CALLEES")]
        yield Dialog(call_id, callees[0] if callees else "", state in _CONFIRMED)


def statistics_sum(answer: object) -> int:
    """Add up what `get_statistics` counts."""
    return sum(fields.number(value) or 0 for value in answer.values()) if isinstance(answer, dict) else 0


def _list(answer: object, name: str) -> list[dict[str, Any]]:
    listed = answer.get(name) if isinstance(answer, dict) else None
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
