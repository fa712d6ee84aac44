"""The templates of each environment, synthesised once."""

import fcntl
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from cdk.application import ROOT, build

CONTEXT: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
ENVIRONMENTS = ("local", "staging", "production")


@dataclass(frozen=True)
class Template:
    """A stack's template."""

    path: Path
    content: dict[str, Any]

    def resources(self, kind: str) -> list[dict[str, Any]]:
        """Return the resources of a type."""
        return [each for each in self.content.get("Resources", {}).values() if each["Type"] == kind]

    def properties(self, kind: str) -> list[dict[str, Any]]:
        """Return the properties of the resources of a type."""
        return [each.get("Properties", {}) for each in self.resources(kind)]

    def logical_id(self, properties: dict[str, Any]) -> str:
        """Return the logical id of the resource with these very properties."""
        (found,) = [name for name, each in self.content["Resources"].items() if each.get("Properties") is properties]
        return str(found)


Templates = dict[str, Template]
"""By the part of the stack's name after the environment: `data`, `services`, `events-us-east-1`."""


@pytest.fixture(scope="session")
def synthesise(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Templates]:
    """Return a function that synthesises an environment, once; `check`ed by cdk-nag as every synthesis is.

    Once for all of pytest's workers: the first that asks does it, the others wait and read what it wrote.
    """
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    @cache
    def templates(environment: str) -> Templates:
        assembly = shared / f"cdk.out-{environment}"
        with (shared / f"cdk.out-{environment}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (assembly / "done").exists():
                app = App(context={**CONTEXT, "environment": environment}, outdir=str(assembly))
                build(app)
                app.synth()
                (assembly / "done").touch()
        prefix = f"somleng-switch-{environment}-"
        return {
            path.name.removeprefix(prefix).removesuffix(".template.json"): Template(path, json.loads(path.read_text()))
            for path in sorted(assembly.glob("*.template.json"))
        }

    return templates


@pytest.fixture
def staging(synthesise: Callable[[str], Templates]) -> Templates:
    return synthesise("staging")


@pytest.fixture
def data(staging: Templates) -> Template:
    return staging["data"]


@pytest.fixture
def services(staging: Templates) -> Template:
    return staging["services"]
