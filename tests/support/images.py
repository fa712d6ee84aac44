"""Builds the images and runs them with Debian's buildah, with no daemon and no registry of images.

The base images are made on the spot, by debootstrap, under the names that the Dockerfiles have for them. It all needs
root, and a minute or two.
"""

import json
import os
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.support.dockerfiles import ROOT

WANTED = "BUILD_IMAGES"
_LOG = "/container.log"


def missing() -> str | None:
    """Return why images cannot be built here, None where they can."""
    if not os.environ.get(WANTED):
        return f"images are built only where {WANTED}=1 asks for it: it takes minutes"
    if os.geteuid() != 0:
        return "building images takes root"
    for program, package in (("buildah", "buildah"), ("debootstrap", "debootstrap"), ("unshare", "util-linux")):
        if shutil.which(program) is None:
            return f"the program '{program}' is not on the PATH (Debian: apt install {package})"
    return None


class ImageStore:
    """Images of a test run, in a directory of their own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.environment = {
            **os.environ,
            "CONTAINERS_STORAGE_CONF": str(directory / "storage.conf"),
            "BUILDAH_ISOLATION": "chroot",
            "TMPDIR": str(directory),
        }
        self._store_with("overlay")
        if subprocess.run(["buildah", "images"], env=self.environment, capture_output=True, check=False).returncode:
            # Every container is a copy then: slow, but it works in a container, too.
            self._store_with("vfs")

    def buildah(self, *arguments: str) -> str:
        """Run a command of buildah and return what it prints."""
        return self._run(["buildah", *arguments])

    def make_base(self, name: str, suite: str, packages: Sequence[str] = ()) -> None:
        """Make a base image out of a Debian suite."""
        tree = self._directory / suite
        included = [f"--include={','.join(packages)}"] if packages else []
        self._run(["debootstrap", "--variant=minbase", *included, suite, str(tree)])
        self.commit(name, {"/": tree})
        shutil.rmtree(tree)

    def make_python_base(self, name: str, suite: str) -> None:
        """Make a base image with Python, as the official ones have it: `python` and `pip` are the program's own."""
        self.make_base(name, suite, ("python3", "python3-pip", "ca-certificates"))
        container = self.buildah("from", "--pull-never", name)
        self.buildah("run", container, "--", "ln", "--symbolic", "python3", "/usr/bin/python")
        self.buildah("run", container, "--", "sh", "-c", "rm /usr/lib/python3*/EXTERNALLY-MANAGED")
        # What pip trusts and asks on this machine.
        if certificates := os.environ.get("PIP_CERT"):
            self.buildah("copy", container, certificates, certificates)
        for setting in ("PIP_CERT", "PIP_INDEX_URL"):
            if value := os.environ.get(setting):
                self.buildah("config", "--env", f"{setting}={value}", container)
        self.buildah("commit", "--format", "docker", container, name)
        self.buildah("rm", container)

    def commit(self, name: str, added: Mapping[str, Path], base: str = "scratch") -> None:
        """Make an image of another and some files."""
        container = self.buildah("from", "--pull-never", base)
        for target, source in added.items():
            self.buildah("add", container, str(source), target)
        self.buildah("commit", "--format", "docker", container, name)
        self.buildah("rm", container)

    def volume(self, image: str, path: str, directory: Path) -> Path:
        """Make a directory that is to an image's path what a new volume is: its owner's, with its rights."""
        container = self.buildah("from", "--pull-never", image)
        found = Path(self.buildah("mount", container) + path).stat()
        self.buildah("rm", container)
        directory.mkdir()
        os.chown(directory, found.st_uid, found.st_gid)
        directory.chmod(stat.S_IMODE(found.st_mode))
        return directory

    def build(self, *names: str) -> None:
        """Build images as `make images` does."""
        settings = {"BUILDER": "buildah", "BUILD_OPTIONS": "--network host --pull-never"}
        self._run([str(ROOT / "containers" / "build.sh"), *names], settings)

    def remove(self) -> None:
        """Remove all of it; no container may run."""
        mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        for path in reversed(mounted):
            if Path(path).is_relative_to(self._directory):
                self._run(["umount", path])
        shutil.rmtree(self._directory)

    def _store_with(self, driver: str) -> None:
        places = f'graphroot = "{self._directory}/{driver}"\nrunroot = "{self._directory}/run"\n'
        Path(self.environment["CONTAINERS_STORAGE_CONF"]).write_text(f'[storage]\ndriver = "{driver}"\n{places}')

    def _run(self, command: Sequence[str], settings: Mapping[str, str] | None = None) -> str:
        environment = {**self.environment, **(settings or {})}
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
        assert ended.returncode == 0, f"{command}: {ended.stdout[-3000:]}\n{ended.stderr[-3000:]}"
        return ended.stdout.strip()


class Container:
    """A container of an image, in the network of this process, as a context.

    Args:
        store: where the image is.
        image: its name.
        settings: its environment.
        log: what it prints goes there.
        volumes: directories of this machine, by their path in the container.
        arguments: of its entrypoint.

    """

    def __init__(
        self,
        store: ImageStore,
        image: str,
        settings: Mapping[str, str],
        log: Path,
        volumes: Mapping[str, Path] | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        self._store, self._log = store, log
        self._id = store.buildah("from", "--pull-never", image)
        # Here, since what is mounted in the namespace of its processes is not there for its health check.
        store.buildah("mount", self._id)
        for name, value in settings.items():
            store.buildah("config", "--env", f"{name}={value}", self._id)
        for target in volumes or {}:
            # Those of the image come from it, also where another is mounted.
            store.buildah("config", "--volume", f"{target}-", self._id)
        configuration: Any = json.loads(store.buildah("inspect", self._id))["Docker"]["config"]
        self.user: str = configuration["User"]
        self._entrypoint: list[str] = [*configuration["Entrypoint"], *arguments]
        self._healthcheck: list[str] = (configuration.get("Healthcheck") or {}).get("Test", [])
        self._run = ["buildah", "run", "--network", "host"]
        for target, source in (volumes or {}).items():
            self._run += ["--volume", f"{source}:{target}"]
        # A file of the user's, since some open it by its name once more (/dev/stdout): container engines hand their
        # pipes over to the user, buildah keeps its own.
        self._log.touch()
        os.chown(self._log, *map(int, self.user.split(":")))
        self._run += ["--volume", f"{self._log}:{_LOG}", self._id, "--"]
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        # A process namespace of its own, as a container has one: nothing in it outlives its first process.
        command = ["unshare", "--fork", "--pid", "--mount-proc", "--kill-child=SIGKILL", *self._run]
        command += ["sh", "-c", f'exec "$@" >> {_LOG} 2>&1', "sh", *self._entrypoint]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(command, env=self._store.environment, stdout=log, stderr=log)
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self._store.buildah("rm", self._id)

    def health(self) -> subprocess.CompletedProcess[str]:
        """Run its own health check."""
        assert self._healthcheck[0] == "CMD"
        command = [*self._run, *self._healthcheck[1:]]
        return subprocess.run(command, env=self._store.environment, capture_output=True, text=True, check=False)

    def wait_until_healthy(self, seconds: float = 30) -> None:
        """Wait for its health check to pass."""
        deadline = time.monotonic() + seconds
        while (checked := self.health()).returncode != 0:
            assert self.process
            ended = self.process.poll()
            assert ended is None, f"it ended with {ended}: {self.log()}"
            assert time.monotonic() < deadline, f"not healthy: {checked.stderr}\n{self.log()}"
            time.sleep(0.5)

    def stop(self, seconds: float = 15) -> int:
        """Send SIGTERM to what its entrypoint became; return the exit status."""
        assert self.process
        os.kill(self.first_process(), signal.SIGTERM)
        return self.process.wait(seconds)

    def first_process(self) -> int:
        """Return the process id of its entrypoint: below buildah's own processes."""
        assert self.process
        found = self.process.pid
        while True:
            # A program of several threads has its children with the thread that started them.
            children = [each.read_text() for each in Path(f"/proc/{found}/task").glob("*/children")]
            found = int("".join(children))
            # buildah runs itself again, under names of its own, to enter the container.
            if not Path(f"/proc/{found}/cmdline").read_bytes().startswith(b"buildah"):
                return found

    def owner(self) -> int:
        """Return the user id that its first process runs as."""
        return Path(f"/proc/{self.first_process()}").stat().st_uid

    def log(self) -> str:
        """Return what it printed."""
        return self._log.read_text(errors="replace")[-4000:]
