"""The ledger as people read it, and what is kept of a run."""

import io
import json
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from local.soak import report
from local.soak.checks import Finding
from local.soak.growth import Growth, Line, Sample
from local.soak.ledger import Account, Placed
from local.soak.soak import Result

LOST = Placed("7000003", "Say", 1.0, 2.0, problem="answered 500")


def result() -> Result:
    return Result(
        accounts={
            "Say": Account(4, 2, Counter(), 1, [LOST]),
            "stranger": Account(3, 0, Counter({"403: no permission": 3})),
        },
        calls=[LOST],
        lines=[("table domains", "3, as they should be")],
        findings=[],
        growths={
            ("app", 11): Growth(300.0, Line(60.0, 9.0, 4.0), Line(20.0, 0.0, 4.0)),
            ("freeswitch", 12): Growth(300.0, Line(60.0, -1.0, 4.0), Line(20.0, 1.0, 4.0)),
            ("emulator", 13): Growth(300.0, Line(60.0, 900.0, 4.0), Line(20.0, 0.0, 4.0)),
            ("nginx", 14): None,
        },
        samples={("app", 11): [Sample(1.0, 60.0, 20)]},
    )


def shown(found: Result) -> list[str]:
    out = io.StringIO()
    report.show(found, Path("/kept"), Console(file=out, width=200))
    return [" ".join(line.replace("│", " ").split()) for line in out.getvalue().splitlines()]


def test_each_kind_has_a_line_and_all_have_one() -> None:
    lines = shown(result())
    assert "Say 4 2 1 1" in lines
    assert "stranger 3 0 3 of 403: no permission 0 0" in lines
    assert "all 7 2 3 1 1" in lines
    assert "table domains 3, as they should be" in lines


def test_each_life_of_a_process_has_its_verdict() -> None:
    lines = shown(result())
    assert "app (11) 300 60.0 +9.0 4.0 20 +0.0 4.0 GROWS" in lines
    assert "freeswitch (12) 300 60.0 -1.0 4.0 20 +1.0 4.0 flat" in lines
    assert any(line.startswith("emulator (13)") and "not judged" in line for line in lines)
    assert "nginx (14) too short a life to tell" in lines


def test_it_says_whether_it_balances_and_what_does_not() -> None:
    assert "It balances." in shown(result())
    found = result()
    found.findings.append(Finding("a call is lost: Say, to 7000003", "ledger.json"))
    lines = shown(found)
    assert "It balances." not in lines
    assert "1 things do not balance:" in lines
    assert "a call is lost: Say, to 7000003" in lines
    assert "see ledger.json" in lines


def test_logs_and_ledger_are_kept_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "HOME", tmp_path / "home")
    run = tmp_path / "run"
    (run / "documents").mkdir(parents=True)
    for name in ("app.log", "system.json", "processes.json", "documents/requests.jsonl"):
        (run / name).write_text(name)
    kept = report.keep(result(), run)
    assert kept.parent == tmp_path / "home"
    assert {file.name for file in kept.iterdir()} == {"app.log", "system.json", "requests.jsonl", "ledger.json"}
    ledger = json.loads((kept / "ledger.json").read_text())
    assert ledger["calls"][0]["problem"] == "answered 500"
    assert ledger["samples"] == {"app (11)": [[1.0, 60.0, 20]]}
