"""Prints the ledger, and keeps what it is made of."""

import json
import shutil
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from local.run_directory import HOME
from local.soak.growth import (
    DESCRIPTORS,
    DESCRIPTORS_SHARE,
    MEMORY_MEGABYTES,
    MEMORY_SHARE,
    STANDARD_ERRORS,
    Growth,
)
from local.soak.soak import NOT_JUDGED, Result


def show(result: Result, kept: Path, console: Console) -> None:
    """Print the ledger, what was compared, how processes grew, and what does not balance."""
    console.print(_calls(result))
    console.print(_compared(result))
    console.print(_processes(result))
    if not result.findings:
        console.print("[bold green]It balances.[/]")
    else:
        console.print(f"[bold red]{len(result.findings)} things do not balance:[/]")
        for finding in result.findings:
            console.print(f"  {finding.what}\n    see {finding.where}", markup=False, soft_wrap=True)
    console.print(f"Logs and ledger.json are kept in {kept}", markup=False, soft_wrap=True)


def _calls(result: Result) -> Table:
    table = Table(title="Calls")
    for name in ("kind", "placed", "completed", "refused as they should be", "on killed processes", "lost"):
        table.add_column(name, justify="left" if name == "kind" or "refused" in name else "right")
    total = [0, 0, 0, 0, 0]
    for kind, account in sorted(result.accounts.items()):
        refused = "; ".join(f"{count} of {reason}" for reason, count in account.refused.items())
        numbers = [
            account.placed,
            account.completed,
            account.refused.total(),
            account.killed,
            len(account.lost),
        ]
        total = [before + number for before, number in zip(total, numbers, strict=True)]
        table.add_row(kind, str(numbers[0]), str(numbers[1]), refused, str(numbers[3]), str(numbers[4]))
    table.add_section()
    table.add_row("all", *map(str, total))
    return table


def _compared(result: Result) -> Table:
    table = Table(title="What should be there, and what is")
    table.add_column("what")
    table.add_column("found")
    for what, seen in result.lines:
        table.add_row(what, seen)
    return table


def _processes(result: Result) -> Table:
    allowed = (
        f"may gain {MEMORY_SHARE:.0%} or {MEMORY_MEGABYTES:g} MB, {DESCRIPTORS_SHARE:.0%} or {DESCRIPTORS:g} "
        f"descriptors, whichever is more, and {STANDARD_ERRORS:g} standard errors of the line"
    )
    table = Table(title=f"Processes: after its warm-up, each {allowed}")
    for name in ("process", "seconds", "MB", "gained", "allowed", "descriptors", "gained", "allowed", ""):
        table.add_column(name, justify="right" if name not in ("process", "") else "left")
    for (name, pid), found in sorted(result.growths.items()):
        table.add_row(f"{name} ({pid})", *_growth(found), _verdict(name, found))
    return table


def _growth(found: Growth | None) -> list[str]:
    if found is None:
        return [""] * 7
    memory, descriptors = found.memory, found.descriptors
    return [
        f"{found.span:.0f}",
        f"{memory.first:.1f}",
        f"{memory.gained:+.1f}",
        f"{memory.allowed:.1f}",
        f"{descriptors.first:.0f}",
        f"{descriptors.gained:+.1f}",
        f"{descriptors.allowed:.1f}",
    ]


def _verdict(name: str, found: Growth | None) -> str:
    if found is None:
        return "too short a life to tell"
    if name in NOT_JUDGED:
        return "not judged: a stand-in, which keeps what it is told"
    return "flat" if found.is_flat else "GROWS"


def keep(result: Result | None, run: Path) -> Path:
    """Copy what tells what happened out of a run's directory, and write the ledger beside it; return where."""
    place = HOME / f"soak-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    place.mkdir(parents=True)
    for file in (*run.glob("*.log"), *run.glob("system.json"), *run.glob("documents/requests.jsonl")):
        shutil.copy(file, place)
    if result is not None:
        (place / "ledger.json").write_text(json.dumps(_as_json(result), indent=1))
    return place


def _as_json(result: Result) -> dict[str, object]:
    return {
        "calls": [asdict(call) for call in result.calls],
        "compared": result.lines,
        "findings": [asdict(finding) for finding in result.findings],
        "samples": {
            f"{name} ({pid})": [(round(each.at, 1), round(each.megabytes, 2), each.descriptors) for each in seen]
            for (name, pid), seen in result.samples.items()
        },
    }
