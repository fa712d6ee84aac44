"""What builds the images: which builder is taken, and what it is told."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import dockerfiles
from tests.support.dockerfiles import ROOT

TOOLS = ("bash", "cut", "dirname", "grep", "tr", "cat")


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A PATH without any builder."""
    for name in TOOLS:
        program = shutil.which(name)
        assert program
        (tmp_path / name).symlink_to(program)
    return tmp_path


def add_builder(programs: Path, name: str, *, daemon: bool = True, status: int = 0) -> None:
    """Put a builder there that prints what it is told."""
    script = programs / name
    script.write_text(f'#!/bin/sh\n[ "$1" != info ] || exit {0 if daemon else 1}\necho "{name} $*"\nexit {status}\n')
    script.chmod(0o755)


def build(programs: Path, *names: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "containers" / "build.sh", *names],
        env={"PATH": str(programs), **settings},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_every_image_of_the_repository_is_built(programs: Path) -> None:
    add_builder(programs, "docker")
    built = build(programs)
    assert built.returncode == 0, built.stderr
    commands = [line for line in built.stdout.splitlines() if line.startswith("docker build ")]
    paths = [ROOT / command.split("--file ")[1].split()[0] for command in commands]
    present = set((ROOT / "containers").glob("*/Dockerfile"))
    assert set(paths) == present
    assert len(commands) == sum(len(dockerfiles.read(path).final) for path in present)
    for command, path in zip(commands, paths, strict=True):
        assert (ROOT / command.split()[-1]).resolve() == dockerfiles.read(path).context
        if "--target" in command:
            target = command.split("--target ")[1].split()[0]
            assert target in [stage.name for stage in dockerfiles.read(path).final]
    assert all(" --tag somleng-switch/" in command for command in commands)


@pytest.mark.parametrize("builder", ["podman", "buildah"])
def test_a_docker_without_daemon_does_not_count(builder: str, programs: Path) -> None:
    add_builder(programs, "docker", daemon=False)
    add_builder(programs, builder)
    built = build(programs, "gateway-scheduler")
    assert built.returncode == 0, built.stderr
    assert f"{builder} build --format docker --file containers/opensips_scheduler/Dockerfile" in built.stdout
    assert "--ignorefile containers/opensips_scheduler/Dockerfile.dockerignore" in built.stdout


def test_the_token_for_freeswitch_is_a_secret_of_its_image_alone(programs: Path) -> None:
    add_builder(programs, "docker")
    built = build(programs, SIGNALWIRE_TOKEN="a-token")
    assert built.returncode == 0, built.stderr
    assert "a-token" not in built.stdout
    given = [line for line in built.stdout.splitlines() if "--secret id=signalwire_token,env=SIGNALWIRE_TOKEN" in line]
    assert [line.split()[-1] for line in given] == ["containers/freeswitch"]


def test_a_base_image_can_be_pinned_by_its_digest(programs: Path) -> None:
    """By the name that the Dockerfile has, which stays where updates are looked for."""
    add_builder(programs, "docker")
    digest = f"@sha256:{'0' * 64}"
    built = build(programs, DEBIAN_IMAGE=f"debian:bookworm-slim{digest}")
    assert built.returncode == 0, built.stderr
    commands = [line for line in built.stdout.splitlines() if line.startswith("docker build ")]
    pinned = [
        line
        for line in commands
        if f"--build-context debian:bookworm-slim=docker-image://debian:bookworm-slim{digest} " in line
    ]
    based_on_debian = [
        path for path in (ROOT / "containers").glob("*/Dockerfile") if "debian:" in dockerfiles.read(path).bases[0]
    ]
    assert {line.split("--file ")[1].split()[0] for line in pinned} == {
        str(path.relative_to(ROOT)) for path in based_on_debian
    }
    assert not [line for line in commands if "python:" in line]


def test_every_image_has_one_base_which_has_a_setting(programs: Path) -> None:
    add_builder(programs, "docker")
    built = build(programs, DEBIAN_IMAGE="debian:x", PYTHON_IMAGE="python:x")
    assert built.returncode == 0, built.stderr
    for command in (line for line in built.stdout.splitlines() if line.startswith("docker build ")):
        (base,) = dockerfiles.read(ROOT / command.split("--file ")[1].split()[0]).bases
        assert f" --build-context {base}=docker-image://{base.partition(':')[0]}:x " in command


def test_without_builder_the_three_are_named(programs: Path) -> None:
    built = build(programs)
    assert built.returncode == 1
    assert "docker, podman or buildah, and none of them works here" in built.stderr


def test_what_is_asked_for_reaches_the_builder(programs: Path) -> None:
    add_builder(programs, "docker")
    add_builder(programs, "podman")
    built = build(programs, "media-proxy", BUILDER="podman", ARCH="arm64", TAG="1.2", BUILD_OPTIONS="--pull-never -q")
    assert built.returncode == 0, built.stderr
    (command,) = [line for line in built.stdout.splitlines() if not line.startswith("==")]
    assert command.startswith("podman build --format docker --platform linux/arm64 --pull-never -q --file ")
    assert " --tag somleng-switch/media-proxy:1.2 " in command


@pytest.mark.parametrize(
    ("settings", "names", "said"),
    [
        ({"BUILDER": "kaniko"}, [], "BUILDER is 'kaniko', not docker, podman or buildah"),
        ({"BUILDER": "buildah"}, [], "BUILDER is 'buildah', which is not installed here"),
        ({"ARCH": "x86_64"}, [], "ARCH is 'x86_64', not amd64 or arm64"),
        ({}, ["media"], "there is no image 'media'; there are: public-gateway "),
    ],
)
def test_a_wrong_wish_is_refused(settings: dict[str, str], names: list[str], said: str, programs: Path) -> None:
    add_builder(programs, "docker")
    built = build(programs, *names, **settings)
    assert built.returncode == 1
    assert said in built.stderr
    assert built.stdout == ""


def test_a_build_that_fails_fails(programs: Path) -> None:
    add_builder(programs, "docker", status=3)
    built = build(programs)
    assert built.returncode == 3
    assert built.stdout.count("docker build") == 1


def test_make_takes_the_same_wishes(programs: Path) -> None:
    if (make := shutil.which("make")) is None:
        pytest.skip("the program 'make' is not on the PATH")
    add_builder(programs, "docker")
    environment = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    command = [make, "--silent", "images", "ARCH=arm64", "IMAGES=media-proxy"]
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert "docker build --platform linux/arm64" in built.stdout
    assert built.stdout.count("docker build") == 1
