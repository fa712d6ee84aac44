"""Bundles: the same bytes for the same content, for the machine that they run on, and nothing that is not needed."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from cdk import bundling
from cdk.application import ROOT
from cdk.bundling import Bundler, pinned_requirements
from cdk.errors import BundlingError
from cdk.settings import Architecture
from cdk.target import Target

ARM64 = Target.of(Architecture.ARM64)
X86_64 = Target.of(Architecture.X86_64)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one function and one layer that need no package."""
    root = tmp_path / "checkout"
    for path, text in {
        "lambdas/__init__.py": '"""Functions."""\n',
        "lambdas/greet/__init__.py": "",
        "lambdas/greet/handler.py": "import greeting\n",
        "lambdas/greet/README.md": "not for the function\n",
        "lambdas/greet/__pycache__/handler.cpython-311.pyc": "byte code",
        "layers/greeting/python/greeting/__init__.py": "TEXT = 'hello'\n",
        "layers/greeting/python/greeting/__pycache__/x.pyc": "byte code",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def files(directory: Path) -> dict[str, tuple[str, int]]:
    """Return each file's content, as a digest, and its mode."""
    return {
        path.relative_to(directory).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mode & 0o777,
        )
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def test_a_function_lies_where_it_is_imported_from(checkout: Path, tmp_path: Path) -> None:
    bundle = Bundler(checkout, ARM64, tmp_path / "build").function("greet")
    assert list(files(bundle)) == ["lambdas/__init__.py", "lambdas/greet/__init__.py", "lambdas/greet/handler.py"]


def test_a_layer_lies_below_python(checkout: Path, tmp_path: Path) -> None:
    bundle = Bundler(checkout, ARM64, tmp_path / "build").layer("greeting")
    assert list(files(bundle)) == ["python/greeting/__init__.py"]


def test_a_bundle_is_made_once_and_anew_when_its_content_changes(checkout: Path, tmp_path: Path) -> None:
    bundler = Bundler(checkout, ARM64, tmp_path / "build")
    first = bundler.layer("greeting")
    assert bundler.layer("greeting") == first
    source = checkout / "layers/greeting/python/greeting/__init__.py"
    source.write_text("TEXT = 'good morning'\n")
    second = bundler.layer("greeting")
    assert second != first
    assert (second / "python/greeting/__init__.py").read_text() == source.read_text()


def test_modes_do_not_depend_on_the_umask(checkout: Path, tmp_path: Path) -> None:
    (checkout / "lambdas/greet/handler.py").chmod(0o600)
    (checkout / "lambdas/__init__.py").chmod(0o664)
    bundle = Bundler(checkout, ARM64, tmp_path / "build").function("greet")
    assert {mode for _, mode in files(bundle).values()} == {0o644}
    assert bundle.stat().st_mode & 0o777 == 0o755


def test_bundling_at_once_is_safe(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All are in the middle of their work when the first is done, as separate processes can be."""
    together = Barrier(4)
    normalise_modes = bundling._normalise_modes

    def normalise_together(directory: Path) -> None:
        together.wait(timeout=30)
        normalise_modes(directory)

    monkeypatch.setattr(bundling, "_normalise_modes", normalise_together)
    bundlers = [Bundler(checkout, ARM64, tmp_path / "build") for _ in range(together.parties)]
    with ThreadPoolExecutor(together.parties) as pool:
        made = list(pool.map(lambda bundler: bundler.function("greet"), bundlers))
    assert len(set(made)) == 1
    assert "lambdas/greet/handler.py" in files(made[0])
    assert [path.name for path in (tmp_path / "build").iterdir()] == [made[0].name]


def test_a_bundle_that_failed_halfway_is_not_taken_for_one(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundler = Bundler(checkout, ARM64, tmp_path / "build")
    with monkeypatch.context() as patched:
        patched.setattr(bundling, "_normalise_modes", lambda directory: os.mkdir(directory))
        with pytest.raises(FileExistsError):
            bundler.function("greet")
    assert list((tmp_path / "build").iterdir()) == []
    assert "lambdas/greet/handler.py" in files(bundler.function("greet"))


def test_a_package_that_cannot_be_installed_is_named_and_leaves_nothing(checkout: Path, tmp_path: Path) -> None:
    pin = "boto3==0.0.0.1"
    (checkout / "lambdas/greet/requirements.txt").write_text(f"{pin} --hash=sha256:{'0' * 64}\n")
    bundler = Bundler(checkout, ARM64, tmp_path / "build")
    with pytest.raises(BundlingError, match=r"pip could not install boto3==0\.0\.0\.1 for Target"):
        bundler.function("greet")
    assert list((tmp_path / "build").iterdir()) == []


def test_a_function_that_is_not_there_is_an_error_and_not_an_empty_bundle(checkout: Path, tmp_path: Path) -> None:
    bundler = Bundler(checkout, ARM64, tmp_path / "build")
    with pytest.raises(BundlingError, match=r"lambdas/gret holds neither sources nor a requirements\.txt"):
        bundler.function("gret")
    with pytest.raises(BundlingError, match="layers/gret holds neither"):
        bundler.layer("gret")
    assert not (tmp_path / "build").exists()


def test_a_line_that_is_no_requirement_is_named(checkout: Path, tmp_path: Path) -> None:
    (checkout / "lambdas/greet/requirements.txt").write_text("--index-url https://example.org\n")
    with pytest.raises(BundlingError, match=r"greet/requirements\.txt: '--index-url https://example.org' is no"):
        Bundler(checkout, ARM64, tmp_path / "build").function("greet")


def test_a_requirement_is_judged_by_the_function_s_python_and_not_by_ours(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text(
        "# a comment\n"
        "always==1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via something\n"
        'newer==2.0 ; python_version >= "3.13" --hash=sha256:cc\n'
        'older==3.0 ; python_version < "3.13" --hash=sha256:dd\n'
        'windows==4.0 ; sys_platform == "win32" --hash=sha256:ee\n'
        'arm==5.0 ; platform_machine == "aarch64" --hash=sha256:ff\n'
    )
    arm64 = [
        "always==1.0 --hash=sha256:aa --hash=sha256:bb",
        "newer==2.0 --hash=sha256:cc",
        "arm==5.0 --hash=sha256:ff",
    ]
    assert pinned_requirements(lock, ARM64) == arm64
    assert pinned_requirements(lock, X86_64) == arm64[:2]


@pytest.mark.parametrize("name", ["services", "s3_mpeg"])
def test_the_real_functions_carry_what_they_need_and_no_more(name: str) -> None:
    bundle = Bundler(ROOT, ARM64, ROOT / "build").function(name)
    carried = files(bundle)
    assert f"lambdas/{name}/handler.py" in carried
    assert "aws_lambda_powertools/__init__.py" in carried
    assert not [path for path in carried if path.endswith(".pyc") or "__pycache__" in path]
    assert not [path for path in carried if path.startswith(("boto3", "botocore", "bin/", "tests/"))]
    assert "audioop/__init__.py" in carried or name == "services"
    machines = [(bundle / path).read_bytes()[18:20] for path in carried if path.endswith(".so")]
    assert set(machines) <= {b"\xb7\x00"}, "a library in the bundle is not for arm64 (ELF machine 183)"


@pytest.mark.parametrize(("name", "carries"), [("routing", "routing/tables.py"), ("ffmpeg", "imageio_ffmpeg/")])
def test_the_real_layers_carry_what_they_are_named_for_and_no_more(name: str, carries: str) -> None:
    carried = files(Bundler(ROOT, ARM64, ROOT / "build").layer(name))
    assert [path for path in carried if path.startswith(f"python/{carries}")]
    assert {path.split("/")[0] for path in carried} == {"python"}
    assert not [path for path in carried if path.endswith(".pyc") or "__pycache__" in path]
    assert not [path for path in carried if path.startswith(("python/boto3", "python/botocore"))]
    assert {mode for _, mode in carried.values()} <= {0o644, 0o755}


LAMBDA_UNZIPPED_BYTES = 250 * 1024**2
"""What a function and its layers may unzip to together: AWS Lambda's quotas."""


def test_the_ffmpeg_layer_brings_an_executable_for_arm64_and_leaves_the_function_room() -> None:
    bundler = Bundler(ROOT, ARM64, ROOT / "build")
    layer, function = bundler.layer("ffmpeg"), bundler.function("s3_mpeg")
    (executable,) = [path for path in layer.rglob("*") if path.is_file() and path.stat().st_mode & 0o111]
    assert executable.name.startswith("ffmpeg")
    with executable.open("rb") as binary:
        header = binary.read(20)
    assert (header[:4], header[18:20]) == (b"\x7fELF", b"\xb7\x00"), "ffmpeg is not an ELF file for arm64"
    size = sum(path.stat().st_size for bundle in (layer, function) for path in bundle.rglob("*") if path.is_file())
    assert size < LAMBDA_UNZIPPED_BYTES


def test_two_builds_in_two_places_are_the_same_bytes(tmp_path: Path) -> None:
    bundles = [Bundler(ROOT, ARM64, tmp_path / name).function("s3_mpeg") for name in ("one", "two")]
    assert bundles[0].name == bundles[1].name
    assert files(bundles[0]) == files(bundles[1])
