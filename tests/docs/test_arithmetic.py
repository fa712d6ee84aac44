"""The pages that compute: each cell is what its formula gives from the rows before it and the page's figures."""

import json
import math
import re
from pathlib import Path

import pytest

from benchmarks.scheduler import idle_by_settings
from opensips_scheduler.settings import Kind

ROOT = Path(__file__).resolve().parent.parent.parent
SIZES = ("pilot", "regional", "carrier")
Values = dict[str, float]


def table(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the rows below a heading that begin with a name."""
    text = (ROOT / "docs" / f"{page}.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def figures(page: str, heading: str) -> Values:
    """Return the numbers of a table of names and values."""
    return {name.strip("`"): float(value.replace(",", "")) for name, value, *_ in table(page, heading)}


def sizes(page: str, heading: str, known: Values) -> dict[str, Values]:
    """Compute a table for each size, and check what it says."""
    found: dict[str, Values] = {size: dict(known) for size in SIZES}
    for name, formula, *cells in table(page, heading):
        assert len(cells) == len(SIZES), name
        for size, cell in zip(SIZES, cells, strict=True):
            told = float(cell.replace(",", ""))
            decimals = len(cell.partition(".")[2])
            expression = re.fullmatch(r"`(.+)`", formula)
            value = told if expression is None else evaluate(expression[1], found[size])
            assert expression or formula.startswith("given"), f"{page}: {name} is neither given nor computed"
            assert round(value, decimals) == pytest.approx(told), f"{page}: {name} of {size} is {value}"
            found[size][name.strip("`")] = value
    return found


def evaluate(expression: str, names: Values) -> float:
    """Compute a formula of a page of ours."""
    functions = {"ceil": math.ceil, "max": max, "min": min, "__builtins__": {}}
    return float(eval(expression, functions, dict(names)))  # noqa: S307


def test_capacity() -> None:
    known = figures("capacity", "Figures")
    settings = json.loads((ROOT / "cdk.json").read_text())["context"]["settings"]["common"]
    assert known["target_sessions"] == settings["switchTargetSessions"]
    assert known["target_cpu"] * 100 == settings["switchTargetCpuPercent"] == settings["mediaProxyTargetCpuPercent"]
    assert known["proxy_ports"] == settings["mediaProxyPortMaximum"] - settings["mediaProxyPortMinimum"]
    computed = sizes("capacity", "Sizes", known)
    assert computed["pilot"]["switches"] < computed["regional"]["switches"] < computed["carrier"]["switches"]


def test_cost() -> None:
    known = figures("cost", "Prices")
    followed = {kind: round(idle_by_settings(kind)[2], 2) for kind in Kind}
    assert (known["public_follower"], known["client_follower"]) == (followed[Kind.PUBLIC], followed[Kind.CLIENT])
    computed = sizes("cost", "Sizes", known)
    for size, guide in sizes("capacity", "Sizes", figures("capacity", "Figures")).items():
        for shared in ("channels", "clients", "client_share"):
            assert computed[size][shared] == guide[shared]
        assert computed[size]["switches"] <= guide["switches"], "on average there are more switches than at the peak"
        gateways = guide["public_gateways"] + guide["client_gateways"] + guide["media_proxies"]
        assert computed[size]["other_tasks"] >= gateways


def test_benchmarks_that_figures_come_from_are_there() -> None:
    named = {cells[3].strip("`") for cells in table("capacity", "Figures") if cells[3].startswith("`")}
    assert named
    assert named <= {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
