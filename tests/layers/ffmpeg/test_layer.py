"""The layer: what it is locked to, and that what is unpacked runs."""

import os
import subprocess
from pathlib import Path

import pytest

from cdk.bundling import Bundler, pinned_requirements
from cdk.settings import Architecture
from cdk.target import Target

ROOT = Path(__file__).parents[3]
LOCK = ROOT / "layers" / "ffmpeg" / "requirements.txt"
LIMIT_BYTES = 250 * 1024 * 1024

# The wheels' digests, as PyPI states them.
WHEELS = {
    Architecture.X86_64: "5289f75c7f755b499653f3209fea4efd1430cba0e39831c381aad2d458f7a316",
    Architecture.ARM64: "7fa9132a291d5eb28c44553550deb40cbdab831f2a614e55360301a6582eb205",
}


@pytest.mark.parametrize("architecture", WHEELS)
def test_the_wheel_of_each_architecture_is_in_the_lock(architecture: Architecture) -> None:
    [requirement] = pinned_requirements(LOCK, Target.of(architecture))
    assert requirement.startswith("imageio-ffmpeg==")
    assert f"--hash=sha256:{WHEELS[architecture]}" in requirement


def test_local_runs_and_tests_use_the_layers_release() -> None:
    pin = pinned_requirements(LOCK, Target.of(Architecture.X86_64))[0].split()[0]
    assert f"\n{pin};" in (ROOT / "local" / "requirements.txt").read_text()


@pytest.fixture(scope="module", params=[Architecture.X86_64, Architecture.ARM64])
def layer(request: pytest.FixtureRequest) -> Path:
    """The layer as it is deployed, built for one architecture or taken from where builds are kept."""
    return Bundler(ROOT, Target.of(request.param), ROOT / "build").layer("ffmpeg")


def test_the_binary_is_there_once_and_may_be_executed(layer: Path) -> None:
    [binary] = layer.glob("python/imageio_ffmpeg/binaries/ffmpeg-*")
    assert os.access(binary, os.X_OK)
    assert binary.read_bytes()[:4] == b"\x7fELF"


def test_it_leaves_most_of_what_lambda_allows(layer: Path) -> None:
    size = sum(path.stat().st_size for path in layer.rglob("*") if path.is_file())
    assert size < LIMIT_BYTES / 3


def test_the_hosts_layer_encodes_mp3() -> None:
    target = Target.of(Architecture.HOST)
    if not pinned_requirements(LOCK, target):
        pytest.skip("the package imageio-ffmpeg has an ffmpeg of this release for Linux alone")
    [binary] = Bundler(ROOT, target, ROOT / "build").layer("ffmpeg").glob("python/imageio_ffmpeg/binaries/ffmpeg-*")
    encoders = subprocess.run([binary, "-hide_banner", "-encoders"], capture_output=True, text=True, check=True).stdout
    assert "libmp3lame" in encoders
