"""Runs `.ci/deploy` with a CDK in its place that says what it was told."""

import shutil
import subprocess
from pathlib import Path

from tests.support.dockerfiles import ROOT


def deploy(
    folder: Path, stacks: list[str], fails: str = "none"
) -> tuple[subprocess.CompletedProcess[str], list[list[str]]]:
    """Run the script in a tree with such a CDK; return how it ended, and the stacks of each deployment."""
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "deploy", folder / ".ci" / "deploy")
    program = folder / "node_modules" / ".bin" / "cdk"
    program.parent.mkdir(parents=True)
    (folder / "stacks").write_text("".join(f"{stack}\n" for stack in stacks))
    program.write_text(
        f"""#!/bin/sh
case "$*" in
    *" list") cat {folder}/stacks ;;
    *" {fails}"*) exit 5 ;;
    *) echo "$@" >> {folder}/told ;;
esac
"""
    )
    program.chmod(0o755)
    command = [folder / ".ci" / "deploy", "staging", "1a2b"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    told = (folder / "told").read_text().splitlines() if (folder / "told").exists() else []
    for line in told:
        assert "--context environment=staging --context imageTag=1a2b deploy --exclusively" in line
        assert "--require-approval never" in line
    return ended, [[word for word in line.split() if word.startswith("somleng-switch-")] for line in told]
