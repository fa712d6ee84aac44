"""`permissions`: which addresses may call without a password, and what a gateway does with one."""

import argparse
from typing import Any

from routing import Address, DeleteAddress, LoadBalancerTarget, PutAddress, RoutingReader, Stored, Table
from switch_operator.context import Context
from switch_operator.errors import NotDone, WrongUse
from switch_operator.output import counted
from switch_operator.permission_rules import Decision, danger, decide, network_of, parse_caller, unusable


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Describe the command."""
    group = commands.add_parser("permissions", help="list, explain, add and remove addresses that may call")
    actions = group.add_subparsers(title="actions", required=True, metavar="ACTION")
    listed = actions.add_parser("list", parents=[common], help="every permitted address and network")
    listed.set_defaults(run=_list)
    explained = actions.add_parser(
        "explain", parents=[common], help="what the public gateway does with a call from an address, and why"
    )
    explained.add_argument("address", metavar="ADDRESS", help="a single IP address")
    explained.set_defaults(run=_explain)
    added = actions.add_parser("add", parents=[common], help="permit an address or network")
    added.add_argument("address", metavar="ADDRESS", help="an IP address or a CIDR")
    added.add_argument("--group", type=int, required=True, help="the group of the region whose switches take its calls")
    added.add_argument("--force", action="store_true", help="also where it is dangerous")
    added.add_argument("--yes", action="store_true", help="do it without asking")
    added.set_defaults(run=_add)
    removed = actions.add_parser("remove", parents=[common], help="revoke a permission")
    removed.add_argument("address", metavar="ADDRESS", help="the row's address or CIDR, as 'list' shows it")
    removed.add_argument("--yes", action="store_true", help="do it without asking")
    removed.set_defaults(run=_remove)


def _list(context: Context, _: argparse.Namespace) -> int:
    snapshot = context.reader.snapshot(Table.ADDRESSES)
    rows = sorted(_addresses(snapshot.records.values()), key=_order)
    context.output.document(
        {
            "addresses": [
                {"source_ip": row.source_ip, "group_id": row.group_id, "unusable": unusable(row)} for row in rows
            ],
            "skipped_by_gateways": [{"key": each.key, "reason": each.reason} for each in snapshot.rejected],
        }
    )
    context.output.table(["address", "group", ""], [(row.source_ip, row.group_id, unusable(row)) for row in rows])
    context.output.line(counted(len(rows), "row"))
    for row in snapshot.rejected:
        context.output.line(f"skipped by gateways: {row.key}: {row.reason}", style="yellow")
    return 0


def _explain(context: Context, given: argparse.Namespace) -> int:
    try:
        caller = parse_caller(given.address)
    except ValueError:
        raise WrongUse(f"{given.address!r} is no single IP address") from None
    decision = decide(caller, _addresses(context.reader.snapshot(Table.ADDRESSES).records.values()))
    targets = _targets(context.reader, decision.group)
    verdict = _verdict(decision, targets)
    output = context.output
    output.document(
        {
            "address": str(caller),
            "permitted": decision.group is not None,
            "group_id": decision.group,
            "rows": [
                {
                    "source_ip": match.address.source_ip,
                    "group_id": match.address.group_id,
                    "unusable": match.unusable,
                    "decides": number == 0 and match.unusable is None,
                }
                for number, match in enumerate(decision.matches)
            ],
            "targets": [
                {"dst_uri": each.dst_uri, "resource": each.resource, "region": each.region} for each in targets
            ],
            "verdict": verdict,
        }
    )
    output.line(str(caller), style="bold")
    output.table(
        ["row", "group", ""],
        [
            (
                match.address.source_ip,
                match.address.group_id,
                match.unusable or ("decides" if number == 0 else "is not asked: a lower group or this one decides"),
            )
            for number, match in enumerate(decision.matches)
        ],
    )
    if targets:
        output.table(["target", "resource", "region"], [(each.dst_uri, each.resource, each.region) for each in targets])
    output.line(verdict)
    return 0 if decision.group is not None and targets else 1


def _verdict(decision: Decision, targets: list[LoadBalancerTarget]) -> str:
    if decision.group is None:
        if decision.matches:
            return f"403 Forbidden: gateways cannot use the row that has it: {decision.matches[0].unusable}."
        return "403 Forbidden: no permitted address or network has it in it."
    row = decision.matches[0].address.source_ip
    if not targets:
        return f"500 No Destination available: {row} permits it, and no switch is in group {decision.group}."
    regions = ", ".join(sorted({target.region for target in targets}))
    return (
        f"Permitted by {row}: its calls go to the switches of group {decision.group} ({regions}), "
        "to gw on port 5060 of the gateway and to gwalt on port 5080."
    )


def _add(context: Context, given: argparse.Namespace) -> int:
    wanted = Address(given.address, given.group)
    if (reason := unusable(wanted)) is not None:
        raise WrongUse(f"{wanted.source_ip} in group {wanted.group_id} would have no effect: {reason}")
    if (reason := danger(wanted)) is not None and not given.force:
        raise NotDone(f"refused: {wanted.source_ip}: {reason}; give --force if it is meant; nothing was changed")
    before = context.repository.stored(Table.ADDRESSES, wanted.key)
    warnings = _warnings(context.reader, wanted)
    for warning in warnings:
        context.output.line(warning, style="yellow")
    what = f"Permit {wanted.source_ip} to call the switches of group {wanted.group_id}"
    if (group := _group(before)) is not None and group != wanted.group_id:
        what += f" instead of {group}"
    context.terminal.confirm(f"{what}.", yes=given.yes)
    context.repository.write([PutAddress(wanted, context.server_time.milliseconds())])
    after = context.repository.stored(Table.ADDRESSES, wanted.key)
    if _group(after) != wanted.group_id:
        raise NotDone(
            f"{wanted.source_ip}: a job of the platform that was sent later decided otherwise; "
            "'permissions explain' shows what is so now"
        )
    changed = before.row != after.row
    said = (
        f"{wanted.source_ip} is permitted in group {wanted.group_id}; gateways have it within a second"
        if changed
        else f"nothing changed: {wanted.source_ip} was permitted in group {wanted.group_id} already; noted as of now, "
        "so that an older job does not revoke it"
    )
    context.output.document(
        {"source_ip": wanted.source_ip, "group_id": wanted.group_id, "changed": changed, "warnings": warnings}
    )
    context.output.line(said)
    return 0


def _remove(context: Context, given: argparse.Namespace) -> int:
    change = DeleteAddress(given.address, 0)  # normalises the address; the time comes when it is done
    before = context.repository.stored(Table.ADDRESSES, change.key)
    rows = _addresses(context.reader.snapshot(Table.ADDRESSES).records.values())
    network = network_of(Address(change.key, 0))
    others = sorted(
        row.source_ip
        for row in rows
        if row.key != change.key
        and (other := network_of(row)).version == network.version
        and int(other.network_address) <= int(network.network_address)
        and int(other.broadcast_address) >= int(network.broadcast_address)
    )
    if before.row is None:
        hint = f"; it is permitted as part of {', '.join(others)}" if others else ""
        raise NotDone(f"there is no permission of {change.key}{hint}; nothing was changed")
    context.terminal.confirm(f"Revoke the permission of {change.key} (group {_group(before)}).", yes=given.yes)
    context.repository.write([DeleteAddress(change.key, context.server_time.milliseconds())])
    if context.repository.stored(Table.ADDRESSES, change.key).row is not None:
        raise NotDone(f"{change.key}: a job of the platform that was sent later permits it again")
    context.output.document({"source_ip": change.key, "changed": True, "still_permitted_by": others})
    context.output.line(f"{change.key} is revoked; gateways know within a second. Calls in progress go on")
    if others:
        context.output.line(f"it is still permitted as part of {', '.join(others)}", style="yellow")
    return 0


def _warnings(reader: RoutingReader, wanted: Address) -> list[str]:
    said = []
    if not _targets(reader, wanted.group_id):
        said.append(f"no switch is in group {wanted.group_id} now: calls get 500 until one is")
    rows = [row for row in _addresses(reader.snapshot(Table.ADDRESSES).records.values()) if row.key != wanted.key]
    first = network_of(wanted).network_address
    decision = decide(first, [*rows, wanted])
    if decision.group is not None and decision.group != wanted.group_id:
        said.append(
            f"{decision.matches[0].address.source_ip} has {first}, too, and group {decision.group} goes before "
            f"{wanted.group_id}: its calls go there"
        )
    return said


def _targets(reader: RoutingReader, group: int | None) -> list[LoadBalancerTarget]:
    records = reader.snapshot(Table.LOAD_BALANCER_TARGETS).records.values()
    found = [record for record in records if isinstance(record, LoadBalancerTarget) and record.group_id == group]
    return sorted(found, key=lambda record: (record.region, record.dst_uri))


def _addresses(records: Any) -> list[Address]:
    return [record for record in records if isinstance(record, Address)]


def _group(stored: Stored) -> int | None:
    group = None if stored.row is None else stored.row.get("group_id")
    return group if isinstance(group, int) else None


def _order(row: Address) -> tuple[int, int, int]:
    network = network_of(row)
    return network.version, int(network.network_address), network.prefixlen
