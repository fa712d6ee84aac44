"""A container as a process of this machine: the entrypoint of its image, and the health check of its image."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local import servers
from local.processes import Server
from local.run_directory import ROOT

CONTAINERS = ROOT / "containers"
_CHECK_SECONDS = 10.0


@dataclass(frozen=True)
class Container:
    """A container's process.

    Attributes:
        name: what it is, for people and for its log's name.
        command: what the image starts.
        environment: the whole of it.
        is_healthy: what the image's health check says.
        health_url: where it tells more of its health, if it does so over HTTP.

    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    is_healthy: Callable[[], bool]
    health_url: str = field(default="")

    def server(self, directory: Path) -> Server:
        """Return the process that runs it, with its log in a directory."""
        return Server(self.name, self.command, self.environment, directory, self.is_healthy)


def inherited(*names: str) -> dict[str, str]:
    """Return those of some environment variables that this process has, and always PATH and HOME."""
    return {name: os.environ[name] for name in ("PATH", "HOME", *names) if name in os.environ}


def python_environment(*folders: Path) -> dict[str, str]:
    """Return what the image of a Python program sets, with code in some folders, and credentials that lead nowhere."""
    path = os.pathsep.join(str(folder) for folder in folders)
    own = {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    return {**inherited(), **servers.WITHOUT_PROXY, **servers.credentials(), **own}


def python_module(name: str) -> list[str]:
    """Return the command that runs a module."""
    return [sys.executable, "-m", name]


def script_is_content(script: Path, environment: Mapping[str, str]) -> bool:
    """Run a health check that is a script, and tell whether it is content."""
    try:
        check = subprocess.run(
            [str(script)],
            env=dict(environment),
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_CHECK_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return False
    return check.returncode == 0
