"""What carries the images to a registry: what the builder is told to push and to join."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.dockerfiles import ROOT

NAMES = [
    "public-gateway",
    "client-gateway",
    "gateway-scheduler",
    "media-proxy",
    "switch-app",
    "switch-webserver",
    "freeswitch-event-logger",
    "operator",
    "freeswitch",
]
REGISTRIES = "1.dkr.ecr.ap-southeast-1.amazonaws.com/somleng-switch 1.dkr.ecr.us-east-1.amazonaws.com/switch-staging"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A PATH without any builder."""
    for name in ("bash", "cut", "dirname", "grep", "tr", "mkdir"):
        program = shutil.which(name)
        assert program
        (tmp_path / name).symlink_to(program)
    return tmp_path


def add_builder(programs: Path, name: str, *, there: str = "nothing") -> None:
    """Put a builder there that prints what it is told, and knows one image that is in a registry."""
    script = programs / name
    script.write_text(
        f"""#!/bin/sh
case "$*" in
    info) exit 0 ;;
    "manifest inspect {there}") exit 0 ;;
    "manifest inspect "*) exit 1 ;;
esac
echo "{name} $*" >&2
"""
    )
    script.chmod(0o755)


def run(programs: Path, script: str, *names: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "containers" / script, *names],
        env={"PATH": str(programs), **settings},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_every_image_is_pushed_to_every_registry(programs: Path) -> None:
    add_builder(programs, "docker")
    pushed = run(programs, "push.sh", TAG="1a2b-arm64", REGISTRY=REGISTRIES)
    assert pushed.returncode == 0, pushed.stderr
    expected = []
    for name in NAMES:
        for registry in REGISTRIES.split():
            place = f"{registry}/{name}:1a2b-arm64"
            expected += [f"docker tag somleng-switch/{name}:1a2b-arm64 {place}", f"docker push --quiet {place}"]
    assert pushed.stderr.splitlines() == expected


@pytest.mark.parametrize("builder", ["podman", "buildah"])
def test_other_builders_are_told_that_it_is_a_registry(builder: str, programs: Path) -> None:
    add_builder(programs, builder)
    pushed = run(programs, "push.sh", "media-proxy", REGISTRY="registry.example.org:5000")
    image = "localhost/somleng-switch/media-proxy:latest"
    place = "docker://registry.example.org:5000/media-proxy:latest"
    assert pushed.stderr.splitlines() == [f"{builder} push --quiet {image} {place}"]
    assert pushed.returncode == 0


@pytest.mark.parametrize("script", ["push.sh", "join.sh"])
def test_a_tag_that_is_there_is_left_alone(script: str, programs: Path) -> None:
    """Tags of the repositories are immutable: a second run for a commit would fail."""
    add_builder(programs, "docker", there="registry.example.org/media-proxy:1")
    pushed = run(programs, script, "media-proxy", "switch-app", TAG="1", REGISTRY="registry.example.org")
    assert pushed.returncode == 0, pushed.stderr
    assert "media-proxy:1\nis there already\n" in pushed.stdout
    assert "media-proxy" not in pushed.stderr
    assert "registry.example.org/switch-app:1" in pushed.stderr


def test_two_architectures_are_joined(programs: Path) -> None:
    add_builder(programs, "docker")
    joined = run(programs, "join.sh", "switch-app", TAG="1a2b", REGISTRY=REGISTRIES.split()[0])
    place = f"{REGISTRIES.split()[0]}/switch-app:1a2b"
    command = f"docker buildx imagetools create --tag {place} {place}-amd64 {place}-arm64"
    assert joined.stderr.splitlines() == [command]
    assert joined.returncode == 0


@pytest.mark.parametrize(
    ("script", "settings", "said"),
    [
        ("push.sh", {}, "REGISTRY is not set"),
        ("push.sh", {"REGISTRY": "https://registry.example.org"}, "REGISTRY is 'https://registry.example.org', not"),
        ("push.sh", {"REGISTRY": "oci:/layout"}, "to which docker does not push"),
        ("join.sh", {"REGISTRY": "registry.example.org"}, "TAG is not set"),
    ],
)
def test_a_wrong_wish_is_refused(script: str, settings: dict[str, str], said: str, programs: Path) -> None:
    add_builder(programs, "docker")
    pushed = run(programs, script, **settings)
    assert pushed.returncode == 1
    assert said in pushed.stderr
    assert pushed.stdout == ""


def test_a_push_that_fails_fails(programs: Path) -> None:
    add_builder(programs, "podman")
    (programs / "podman").write_text("#!/bin/sh\nexit 3\n")
    assert run(programs, "push.sh", REGISTRY="registry.example.org").returncode == 3
