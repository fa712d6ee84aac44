"""Findings of cdk-nag that are accepted: each for a reason, and each still there."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Validations

from cdk import nag
from cdk.application import build
from tests.cdk.conftest import CONTEXT

Acknowledged = list[tuple[str, str, str]]
"""Path of a construct, finding, reason."""


@pytest.fixture
def acknowledged(monkeypatch: pytest.MonkeyPatch) -> Acknowledged:
    """Notes what is accepted, so that nothing is."""
    noted: Acknowledged = []

    class Noting:
        """Stands in for the CDK's class, as `cdk.nag` uses it."""

        def __init__(self, construct: Any) -> None:
            self._construct = construct

        of = classmethod(lambda cls, construct: cls(construct))

        def add_plugins(self, *plugins: Any) -> None:
            Validations.of(self._construct).add_plugins(*plugins)

        def acknowledge(self, acknowledgment: Any) -> None:
            noted.append((self._construct.node.path, acknowledgment.id, acknowledgment.reason))

    monkeypatch.setattr(nag, "Validations", Noting)
    return noted


def test_what_is_accepted_says_why_and_is_still_found(acknowledged: Acknowledged, tmp_path: Path) -> None:
    app = App(context={**CONTEXT, "environment": "production"}, outdir=str(tmp_path))
    build(app)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    (report,) = json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"]
    found = {
        (violation["ruleName"], construct["constructPath"])
        for violation in report["violations"]
        for construct in violation["violatingConstructs"]
    }
    assert all(len(reason.split()) > 5 for _, _, reason in acknowledged)

    def covers(path: str, finding: str) -> set[tuple[str, str]]:
        return {(rule, where) for rule, where in found if rule == finding and f"{where}/".startswith(f"{path}/")}

    accepted = {(finding, reason): set[tuple[str, str]]() for _, finding, reason in acknowledged}
    for path, finding, reason in acknowledged:
        accepted[finding, reason] |= covers(path, finding)
    assert [finding for (finding, _), covered in accepted.items() if not covered] == [], "accepted, but not found"
    assert set().union(*accepted.values()) == found
