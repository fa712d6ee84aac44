"""Builds what a Lambda function and a Lambda layer carry: no Docker, the same bytes for the same content, once.

A function's bundle is the packages of its hash-locked `requirements.txt`, as wheels for the target (nothing is compiled
or run), and its own sources under the path they are imported by. A layer's is the same under `python/`. Left out is
what varies from one install to the next or is of no use there: byte code, pip's records, launchers, tests.

boto3 is not bundled: the runtime brings its own, which AWS keeps patched, and which is there compiled on a warm disk;
a bundled one adds 25 MB to fetch on every cold start and is read as source the first time.

Bundles are kept under `build/`, each in a directory named by a digest of all that went into it. So a second synthesis
needs no network and takes no time, and there is nothing to invalidate. Each is made in a directory of its own and moved
into place in one step: processes that bundle at once do not disturb each other.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from cdk.errors import BundlingError
from cdk.target import Target

_PRUNED = (
    "bin/*",
    "*/__pycache__/*",
    "__pycache__/*",
    "*/tests/*",
    "tests/*",
    "*.dist-info/RECORD",
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
    "*.dist-info/direct_url.json",
)
_NOT_SOURCES = ("requirements.*", "prune.txt", "*.md", "__pycache__/*", "*/__pycache__/*", "*.pyc", ".*")


@dataclass(frozen=True, slots=True)
class Bundler:
    """Bundles the functions and layers of a checkout for one target.

    Parameters:
        root: the checkout.
        target: what the bundles must run on.
        build: where bundles are kept.

    """

    root: Path
    target: Target
    build: Path

    def function(self, name: str) -> Path:
        """Return the directory with the bundle of `lambdas/<name>`; it is imported as `lambdas.<name>`."""
        home = self.root / "lambdas" / name
        sources = {f"lambdas/{name}/{path}": home / path for path in _files(home, _NOT_SOURCES)}
        sources["lambdas/__init__.py"] = self.root / "lambdas" / "__init__.py"
        return self._bundle(f"function-{name}", home, sources, into="")

    def layer(self, name: str) -> Path:
        """Return the directory with the bundle of `layers/<name>`: its `python/` and its packages.

        `layers/<name>/prune.txt` may name more that is left out of the packages: one glob a line.
        """
        home = self.root / "layers" / name
        sources = {f"python/{path}": home / "python" / path for path in _files(home / "python", _NOT_SOURCES)}
        return self._bundle(f"layer-{name}", home, sources, into="python")

    def _bundle(self, name: str, home: Path, sources: dict[str, Path], into: str) -> Path:
        requirements = pinned_requirements(home / "requirements.txt", self.target)
        if not requirements and not any(path.is_relative_to(home) for path in sources.values()):
            raise BundlingError(f"{home} holds neither sources nor a requirements.txt")
        prune = _lines(home / "prune.txt")
        packages = self._packages(requirements, prune) if requirements else None
        digest = _digest([_recipe(), packages.name if packages else "", into, *_contents(sources)])

        def make(directory: Path) -> None:
            if packages:
                shutil.copytree(packages, directory / into, dirs_exist_ok=True)
            for relative, source in sources.items():
                destination = directory / relative
                destination.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, destination)
            _normalise_modes(directory)

        return _once(self.build / f"{name}-{digest}", make)

    def _packages(self, requirements: list[str], prune: list[str]) -> Path:
        digest = _digest([_recipe(), repr(self.target), *requirements, "prune", *prune])

        def make(directory: Path) -> None:
            _install(requirements, self.target, directory)
            for path in sorted(directory.rglob("*"), reverse=True):
                if path.is_dir():
                    if not any(path.iterdir()):
                        path.rmdir()
                elif _matches(path.relative_to(directory).as_posix(), (*_PRUNED, *prune)):
                    path.unlink()

        return _once(self.build / f"packages-{digest}", make)


def pinned_requirements(path: Path, target: Target) -> list[str]:
    """Return the requirements of a hash-locked file that the target needs, one a line, with their hashes.

    Markers are judged here and left out, because pip would judge them by the interpreter that runs it.

    Raises:
        BundlingError: a line is no requirement; the message names the file and the line.

    """
    needed = []
    for line in _lines(path):
        specification, *hashes = line.split(" --hash=")
        try:
            requirement = Requirement(specification.strip())
        except InvalidRequirement as error:
            raise BundlingError(f"{path}: '{specification.strip()}' is no requirement: {error}") from error
        if requirement.marker is None or requirement.marker.evaluate(target.marker_environment()):
            pin = f"{requirement.name}{requirement.specifier}"
            needed.append(" ".join([pin, *(f"--hash={value.strip()}" for value in hashes)]))
    return needed


def _install(requirements: list[str], target: Target, directory: Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.write("\n".join(requirements))
        listed.flush()
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        command += ["--require-hashes", "--only-binary=:all:", "--no-deps", "--no-compile", *target.pip_options()]
        command += [f"--target={directory}", f"--requirement={listed.name}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pins = ", ".join(requirement.split()[0] for requirement in requirements)
        raise BundlingError(f"pip could not install {pins} for {target}:\n{done.stderr}")


def _once(directory: Path, make: Callable[[Path], None]) -> Path:
    """Make the directory, unless it is there: whole or not at all, whoever else makes it at the same time."""
    if directory.is_dir():
        return directory
    directory.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".making-", dir=directory.parent))
    try:
        make(scratch)
        scratch.chmod(0o755)
        try:
            scratch.rename(directory)
        except OSError:
            if not directory.is_dir():  # else another process made the same content first
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return directory


def _files(directory: Path, left_out: Iterable[str]) -> Iterator[str]:
    patterns = tuple(left_out)
    for path in sorted(directory.rglob("*")):
        relative = path.relative_to(directory).as_posix()
        if path.is_file() and not _matches(relative, patterns):
            yield relative


def _matches(relative: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch(relative, pattern) for pattern in patterns)


def _lines(path: Path) -> list[str]:
    """Return the logical lines of a text file, without comments; none if there is no such file."""
    if not path.exists():
        return []
    whole = path.read_text().replace("\\\n", " ")
    lines = (" ".join(line.split("#")[0].split()) for line in whole.splitlines())
    return [line for line in lines if line]


def _normalise_modes(directory: Path) -> None:
    # Zip archives carry modes, and those of an unpacked wheel depend on the umask.
    for path in directory.rglob("*"):
        executable = path.is_dir() or path.stat().st_mode & 0o111
        path.chmod(0o755 if executable else 0o644)


def _contents(sources: dict[str, Path]) -> Iterator[str]:
    for relative, source in sorted(sources.items()):
        yield relative
        yield hashlib.sha256(source.read_bytes()).hexdigest()


def _recipe() -> str:
    """What this module does to content is part of what comes out."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]
