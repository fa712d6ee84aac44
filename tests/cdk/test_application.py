"""The app as the CDK runs it, and what checks its templates."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk import aws_s3 as s3

from cdk.application import ROOT, build
from tests.cdk.conftest import CONTEXT, ENVIRONMENTS, Template, Templates


def run_app(context: dict[str, Any], outdir: Path) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "CDK_CONTEXT_JSON": json.dumps({**CONTEXT, **context}), "CDK_OUTDIR": str(outdir)}
    command = [sys.executable, str(ROOT / "app.py")]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_app_synthesises_what_its_context_names(tmp_path: Path) -> None:
    done = run_app({"environment": "local"}, tmp_path)
    assert done.returncode == 0, done.stderr
    names = {path.name for path in tmp_path.glob("*.template.json")}
    assert names == {f"somleng-switch-local-{part}.template.json" for part in ("data", "services")}


def test_a_deployment_has_these_stacks(synthesise: Callable[[str], Templates]) -> None:
    parts = ["data", "events-us-east-1", "images", "images-us-east-1", "network", "network-us-east-1"]
    parts += ["observability", "observability-us-east-1"]
    parts += ["client-gateway", "media-proxy", "peering", "peering-us-east-1", "public-gateway", "secrets", "services"]
    parts += ["switch", "switch-us-east-1"]
    assert set(synthesise("production")) == set(parts)


def test_stacks_come_after_what_they_name_without_importing_it(staging: Templates) -> None:
    manifest = json.loads((staging["switch"].path.parent / "manifest.json").read_text())["artifacts"]
    prefix = "somleng-switch-staging-"

    def needs(stack: str) -> set[str]:
        found = manifest[f"{prefix}{stack}"]["dependencies"]
        return {each.removeprefix(prefix) for each in found if not each.endswith(".assets")}

    assert {"network", "network-us-east-1", "data"} == needs("services")
    assert {"images", "secrets", "services", "network"} == needs("switch")
    assert {"images-us-east-1", "secrets", "services", "network-us-east-1"} == needs("switch-us-east-1")
    assert {"network", "network-us-east-1"} == needs("peering-us-east-1")
    assert {"network", "peering-us-east-1"} == needs("peering")


def test_a_wrong_setting_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    done = run_app({"environment": "production", "switchSipPort": "sip"}, tmp_path)
    assert done.returncode == 1
    assert "error: setting 'switchSipPort' must be a number" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.glob("*.template.json")) == []


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_cfn_lint_finds_nothing(synthesise: Callable[[str], Templates], environment: str) -> None:
    paths = [str(template.path) for template in synthesise(environment).values()]
    command = [str(Path(sys.executable).parent / "cfn-lint"), "--", *paths]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_finding_of_cdk_nag_fails_the_synthesis(tmp_path: Path) -> None:
    """Without this, that every other test synthesises would not show that the stacks are clean."""
    app = App(context={**CONTEXT, "environment": "local"}, outdir=str(tmp_path))
    s3.Bucket(build(app).data, "Careless")
    with pytest.raises(RuntimeError, match=r"Careless/Resource(.|\n)*AwsSolutions-S10"):
        app.synth()


def test_everything_of_a_deployment_is_tagged_with_it(staging: Templates) -> None:
    template: Template = staging["services"]
    for queue in template.properties("AWS::SQS::Queue"):
        tags = {tag["Key"]: tag["Value"] for tag in queue["Tags"]}
        assert tags == {"environment": "staging", "project": "somleng-switch"}
