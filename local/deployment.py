"""Deploys the product's stacks into the emulator, by the CDK's own command-line tool."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.errors import LocalError
from local.processes import run
from local.run_directory import ROOT
from local.servers import ACCOUNT, REGION

_CDK = ROOT / "node_modules" / ".bin" / "cdk"
_SECONDS = 240.0


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the stacks say of themselves.

    Attributes:
        data: the outputs of the data stack.
        services: the outputs of the services stack.

    """

    data: Mapping[str, str]
    services: Mapping[str, str]


def deploy(environment: Mapping[str, str], directory: Path, context: Mapping[str, str]) -> Deployment:
    """Synthesise, bootstrap and deploy the stacks of the `local` environment.

    Args:
        environment: of the commands; it leads them to the emulator.
        directory: where the assembly, the outputs and the log lie.
        context: settings that differ from `cdk.json`.

    Raises:
        LocalError: when the CDK is not installed or fails.

    """
    if not _CDK.exists():
        raise LocalError(f"the CDK's command-line tool is not installed at {_CDK}; run `make demo`")
    log, assembly, outputs = directory / "cdk.log", directory / "cdk.out", directory / "outputs.json"
    cdk = [str(_CDK), "--no-notices", "--no-color"]
    chosen = [f"--context={name}={value}" for name, value in {"environment": "local", **context}.items()]
    app = f"--app={sys.executable} {ROOT / 'app.py'}"
    run([*cdk, "synth", "--quiet", app, *chosen, f"--output={assembly}"], environment, ROOT, log, _SECONDS)
    run([*cdk, "bootstrap", f"--app={assembly}", f"aws://{ACCOUNT}/{REGION}"], environment, ROOT, log, _SECONDS)
    options = ["--all", "--require-approval=never", "--progress=events", f"--outputs-file={outputs}"]
    run([*cdk, "deploy", f"--app={assembly}", *options], environment, ROOT, log, _SECONDS)
    told = json.loads(outputs.read_text())
    return Deployment(told["somleng-switch-local-data"], told["somleng-switch-local-services"])
