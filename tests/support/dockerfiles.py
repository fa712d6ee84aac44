"""Reads Dockerfiles and .dockerignore files, as far as this repository's use them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Instruction:
    """One instruction: its name in capitals, its options (`--from=…`) and the rest."""

    name: str
    options: tuple[str, ...]
    rest: str

    @property
    def words(self) -> list[str]:
        """The rest as words; those of a JSON list are its elements."""
        return list(json.loads(self.rest)) if self.rest.startswith("[") else self.rest.split()


@dataclass
class Stage:
    """A stage: what it is made from, and its instructions, those of the stages that it is made from first."""

    name: str
    base: str
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, name: str) -> list[Instruction]:
        """Return its instructions of a name."""
        return [each for each in self.instructions if each.name == name]


@dataclass(frozen=True)
class Dockerfile:
    """A Dockerfile: where it is, its stages in their order, and the base images that come from elsewhere."""

    path: Path
    stages: tuple[Stage, ...]
    bases: tuple[str, ...]

    @property
    def final(self) -> list[Stage]:
        """The stages that no other is made from: what is built and run."""
        used = {stage.base for stage in self.stages}
        return [stage for stage in self.stages if stage.name not in used]

    @property
    def context(self) -> Path:
        """The folder that it is built in: its own, unless its .dockerignore says that it has another's."""
        return ROOT if self.path.with_name("Dockerfile.dockerignore").exists() else self.path.parent

    @property
    def ignore_file(self) -> Path:
        """Its .dockerignore."""
        own = self.path.with_name("Dockerfile.dockerignore")
        return own if own.exists() else self.context / ".dockerignore"


def read(path: Path) -> Dockerfile:
    """Read a Dockerfile."""
    stages: list[Stage] = []
    bases: list[str] = []
    for instruction in _instructions(path.read_text()):
        if instruction.name == "FROM":
            base, *alias = instruction.words
            inherited = next((stage for stage in stages if stage.name == base), None)
            if inherited is None:
                bases.append(base)
            name = alias[1] if alias else ""
            stages.append(Stage(name, base, list(inherited.instructions) if inherited else []))
        elif stages:
            stages[-1].instructions.append(instruction)
    return Dockerfile(path, tuple(stages), tuple(bases))


def _instructions(text: str) -> Iterator[Instruction]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        name, _, rest = line.strip().partition(" ")
        words = rest.split()
        options = [word for word in words if word.startswith("--")] if name in ("COPY", "ADD", "HEALTHCHECK") else []
        kept = rest
        for option in options:
            kept = kept.replace(option, "", 1)
        yield Instruction(name.upper(), tuple(options), kept.strip())


def lets_through(ignore_file: Path, path: PurePosixPath) -> bool:
    """Tell whether a .dockerignore leaves a file in the context: the last rule that matches it or its folder counts."""
    ignored = False
    names = [str(path), *(str(parent) for parent in path.parents if parent.parts)]
    for line in ignore_file.read_text().splitlines():
        rule = line.strip()
        if not rule or rule.startswith("#"):
            continue
        pattern = _expression(rule.removeprefix("!").strip("/"))
        if any(pattern.fullmatch(name) for name in names):
            ignored = not rule.startswith("!")
    return not ignored


def _expression(rule: str) -> re.Pattern[str]:
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(parts.get(token) or re.escape(token) for token in re.split(r"(\*\*/|\*\*|\*|\?)", rule)))
