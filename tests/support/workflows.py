"""Reads the workflows that run on GitHub."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.dockerfiles import ROOT

FOLDER = ROOT / ".github" / "workflows"
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


@dataclass(frozen=True)
class Step:
    """A step of a job: what it runs, or the action that it uses."""

    job: str
    content: dict[str, Any]

    @property
    def script(self) -> str:
        """What it runs, its expressions replaced by a word; empty for an action."""
        return _EXPRESSION.sub("expression", self.content.get("run", ""))

    @property
    def expressions(self) -> list[str]:
        """The expressions in what it runs."""
        return _EXPRESSION.findall(self.content.get("run", ""))

    @property
    def action(self) -> str:
        """The action that it uses, without its version; empty for a script."""
        return str(self.content.get("uses", "")).partition("@")[0]


@dataclass(frozen=True)
class Workflow:
    """One workflow."""

    path: Path
    content: dict[str, Any]

    @property
    def triggers(self) -> dict[str, Any]:
        """What it runs on. YAML takes the word `on` for true."""
        value: Any = self.content[True]  # type: ignore[index]
        return dict(value)

    @property
    def jobs(self) -> dict[str, Any]:
        """Its jobs by name."""
        return dict(self.content["jobs"])

    @property
    def steps(self) -> Iterator[Step]:
        """The steps of all jobs."""
        for name, job in self.jobs.items():
            for step in job.get("steps", []):
                yield Step(name, step)

    @property
    def expressions(self) -> list[str]:
        """The expressions in all of it."""
        return _EXPRESSION.findall(self.path.read_text())

    def permissions(self, job: str) -> dict[str, str]:
        """What the token of a job may do."""
        value: Any = self.jobs[job].get("permissions", self.content["permissions"])
        return dict(value)


def read(name: str) -> Workflow:
    """Read a workflow by the name of its file."""
    path = FOLDER / name
    return Workflow(path, yaml.safe_load(path.read_text()))


def all_of_them() -> list[Workflow]:
    """Read every workflow."""
    return [read(path.name) for path in sorted(FOLDER.glob("*.yml"))]
