"""Every Dockerfile, read: what it is made from, who it runs as, and whether all that it names is there."""

import re
import shutil
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from tests.support import dockerfiles
from tests.support.dockerfiles import ROOT, Dockerfile, Stage, lets_through

PATHS = sorted([*(ROOT / "containers").glob("*/Dockerfile*"), *(ROOT / "local").glob("*/Dockerfile*")])
DOCKERFILES = [dockerfiles.read(path) for path in PATHS if path.suffix != ".dockerignore"]
FINAL = [
    pytest.param(file, stage, id=f"{file.path.parent.name}-{stage.name}")
    for file in DOCKERFILES
    for stage in file.final
]
ENDS_BY_ITSELF = {"switch_operator"}
"""Folders of images that do one thing and end: they have no health."""
SCRIPTS = sorted((ROOT / "containers").rglob("*.sh"))
each_file = pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.path.parent.name)
each_image = pytest.mark.parametrize(("file", "stage"), FINAL)

PACKAGES = {"auth": "opensips-auth-modules", "db_sqlite": "opensips-sqlite-module"}
"""The modules that have a Debian package of their own; the others that a gateway loads are in `opensips`
(packaging/debian/rules of OpenSIPS 3.6: AUTH_MODULES, SQLITE_MODULES; what is not listed there)."""
WITH_PACKAGE_OF_THEIR_OWN = re.compile(
    r"auth_jwt|auth_aka|uac_auth|db_(?!text|virtual|cachedb|flatstore)\w+|carrierroute|cgrates|compression|cpl_c|dialplan"
    r"|aaa_\w+|emergency|mmgeoip|httpd|mi_html|mi_http|pi_http|identity|jabber|json|event_kafka|ldap|h350|lua"
    r"|cachedb_(memcached|mongodb|redis)|msrp_\w+|proto_(msrp|sctp|tls|wss|ipsec)|perl|presence\w*|pua\w*|rls|xcap\w*"
    r"|prometheus|python|event_rabbitmq|rabbitmq_consumer|peering|regex|rest_client|siprec|snmpstats|stir_shaken|tls_\w+"
    r"|uuid|xml|mi_xmlrpc_ng|xmpp|event_sqs|cachedb_dynamodb|http2d|osp|launch_darkly"
)
"""Modules of other packages, or of none; a gateway that loads one needs a line in PACKAGES."""


@each_file
def test_a_linter_finds_nothing(file: Dockerfile) -> None:
    if (linter := shutil.which("hadolint") or shutil.which("hadolint", path=str(ROOT / ".venv" / "bin"))) is None:
        pytest.skip("the program 'hadolint' is not installed; it comes with tests/requirements.txt on Linux and macOS")
    found = subprocess.run([linter, file.path], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


@each_file
def test_base_images_are_of_one_release(file: Dockerfile) -> None:
    for base in file.bases:
        assert "@sha256:" in base or re.search(r":.*(\d+\.\d+|bookworm|trixie)", base), base
        assert "latest" not in base


@each_image
def test_it_runs_as_a_user_without_rights(file: Dockerfile, stage: Stage) -> None:
    users = stage.all("USER")
    assert users, "no USER"
    # By number, so that whoever mounts a volume or forbids root need not look into the image.
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1].rest)


@each_image
def test_it_tells_its_health_and_is_told_to_stop(file: Dockerfile, stage: Stage) -> None:
    (check,) = stage.all("HEALTHCHECK")
    if file.path.parent.name in ENDS_BY_ITSELF:
        assert check.rest == "NONE"
    else:
        assert check.rest.startswith("CMD [")
        # As ECS has it for every container of a task (docs/images.md).
        assert {"--interval=10s", "--timeout=5s", "--retries=10"} <= set(check.options)
    assert [signal.rest for signal in stage.all("STOPSIGNAL")] == ["SIGTERM"]
    # A shell in front would take the signal for itself.
    assert stage.all("ENTRYPOINT")[-1].rest.startswith("[")


@each_file
def test_what_is_copied_is_there_and_in_the_context(file: Dockerfile) -> None:
    for stage in file.stages:
        assert not stage.all("ADD")
        for copy in stage.all("COPY"):
            if any(option.startswith("--from=") for option in copy.options):
                continue
            for source in copy.words[:-1]:
                path = file.context / source
                assert path.exists(), source
                inside = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
                kept = [each for each in inside if lets_through(file.ignore_file, relative(each, file.context))]
                assert kept, f"{file.ignore_file} keeps {source} out"
                assert not [each for each in kept if "__pycache__" in each.parts]
                sources = [each for each in inside if "__pycache__" not in each.parts and each.name != ".env"]
                assert kept == sources, f"{file.ignore_file} keeps out some of {source}"


def relative(path: Path, context: Path) -> PurePosixPath:
    return PurePosixPath(path.relative_to(context).as_posix())


@each_file
def test_nothing_that_is_not_needed_reaches_the_builder(file: Dockerfile) -> None:
    names = [".env", "local/.env", ".git/config", "cdk.json", ".venv/bin/python", "Dockerfile"]
    copied = {word for stage in file.stages for copy in stage.all("COPY") for word in copy.words}
    through = {name for name in names if lets_through(file.ignore_file, PurePosixPath(name))}
    assert through <= copied
    assert not {name for name in through if name.endswith(".env")}


@each_file
def test_no_secret_is_in_it(file: Dockerfile) -> None:
    for stage in file.stages:
        for given in [*stage.all("ENV"), *stage.all("ARG")]:
            assert not re.search(r"PASSWORD|SECRET|TOKEN|CREDENTIAL|_KEY", given.rest), given


@each_file
def test_lists_of_packages_do_not_stay(file: Dockerfile) -> None:
    for stage in file.stages:
        for run in stage.all("RUN"):
            if "apt-get update" in run.rest:
                assert "rm -rf /var/lib/apt/lists/*" in run.rest
                assert all("--no-install-recommends" in install for install in run.rest.split("apt-get install")[1:])


@pytest.mark.parametrize("kind", ["public", "client"])
def test_every_module_of_a_gateway_is_installed(kind: str) -> None:
    folder = ROOT / "containers" / "gateway"
    configuration = (folder / "common.cfg").read_text() + (folder / kind / "opensips.cfg").read_text()
    modules = re.findall(r'^loadmodule "(\w+)\.so"', configuration, re.MULTILINE)
    assert len(modules) > 10
    stage = next(stage for stage in dockerfiles.read(folder / "Dockerfile").stages if stage.name == kind)
    installed = set(re.findall(r'"(opensips[a-z-]*)=3\.6\.\*"', " ".join(run.rest for run in stage.all("RUN"))))
    for module in modules:
        assert module in PACKAGES or not WITH_PACKAGE_OF_THEIR_OWN.fullmatch(module), module
        assert PACKAGES.get(module, "opensips") in installed, module


# --- scripts


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT / "containers")))
def test_a_script_is_a_script(script: Path) -> None:
    first = script.read_text().split("\n", 1)[0]
    sourced = first.startswith("# shellcheck shell=")
    assert sourced or first in ("#!/bin/sh", "#!/bin/bash")
    assert bool(script.stat().st_mode & 0o111) is not sourced
    shell = "bash" if "bash" in first else "sh"
    assert subprocess.run([shell, "-n", script], capture_output=True, text=True, check=False).stderr == ""


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="the program 'shellcheck' is not on the PATH")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT / "containers")))
def test_shellcheck_finds_nothing(script: Path) -> None:
    command = ["shellcheck", "--external-sources", "--source-path=SCRIPTDIR", script]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


# --- the reader itself


@pytest.mark.parametrize(
    ("rules", "path", "through"),
    [
        ("*\n!a", "a", True),
        ("*\n!a", "b", False),
        ("*\n!a/b", "a/b/c.py", True),
        ("*\n!a/b\n**/__pycache__", "a/b/__pycache__/c.pyc", False),
        ("*.md", "a/b.md", True),
        ("**/*.md", "a/b.md", False),
        ("**/*.md", "b.md", False),
        ("# a\n\nb/", "a", True),
        ("a?", "ab", False),
    ],
)
def test_rules_of_a_dockerignore(rules: str, path: str, through: bool, tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text(rules)
    assert lets_through(tmp_path / ".dockerignore", PurePosixPath(path)) is through
