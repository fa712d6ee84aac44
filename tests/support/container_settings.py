"""Starts each image's program as far as its settings are read, and tells which of them it reads.

The entrypoints are run with a program in their program's place that does nothing; the Python programs' settings are
read by their own code. Either ends with an error that names a setting that is missing or wrong.
"""

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from freeswitch_event_logger.settings import Settings as EventLoggerSettings
from opensips_scheduler.settings import Settings as SchedulerSettings
from switch_app.settings import Settings as SwitchAppSettings
from tests.support.dockerfiles import ROOT

_SDK = {"AWS_DEFAULT_REGION"}
"""What boto3 reads by itself."""


class Noted(Mapping[str, str]):
    """An environment that knows which of its variables were asked for."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables, self.asked = variables, set[str]()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


def _python(read: Callable[[Mapping[str, str]], object]) -> Callable[[Mapping[str, str], Path], set[str]]:
    def start(variables: Mapping[str, str], _: Path) -> set[str]:
        noted = Noted(variables)
        read(noted)
        return noted.asked | _SDK

    return start


def _script(folder: str, *arguments: str, **machine: str) -> Callable[[Mapping[str, str], Path], set[str]]:
    """Return what runs a folder's entrypoint; `machine` is what the container's own machine and image provide."""
    home = ROOT / "containers" / folder

    def start(variables: Mapping[str, str], state: Path) -> set[str]:
        (state / "ready").touch()
        provided = {name: value.format(state=state) for name, value in machine.items()}
        environment = {"PATH": os.environ["PATH"], **variables, **provided}
        command = [str(home / "entrypoint.sh"), *arguments]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        if ended.returncode:
            raise ValueError(f"{folder} ends with {ended.returncode}: {ended.stderr}")
        scripts = [path.read_text() for path in home.rglob("*") if path.suffix in (".sh", ".cfg", ".conf", ".xml")]
        return set(re.findall(r"\$\{?([A-Z][A-Z0-9_]+)", "\n".join(scripts)))

    return start


_LOOPBACK = "127.0.0.1"

START: Mapping[str, Callable[[Mapping[str, str], Path], set[str]]] = {
    "freeswitch": _script(
        "freeswitch",
        FREESWITCH="true",
        FS_LISTEN_ADDRESS=_LOOPBACK,
        FS_STATE_DIRECTORY="{state}",
        FS_DATABASE_DIRECTORY="{state}/databases",
        FS_STORAGE_DIRECTORY="{state}/storage",
    ),
    "switch-webserver": _script("nginx", NGINX_PROGRAM="true", STATE_DIRECTORY="{state}"),
    "public-gateway": _script(
        "gateway", "public", OPENSIPS="true", STATE_DIRECTORY="{state}", SIP_LISTEN_ADDRESS=_LOOPBACK
    ),
    "client-gateway": _script(
        "gateway", "client", OPENSIPS="true", STATE_DIRECTORY="{state}", SIP_LISTEN_ADDRESS=_LOOPBACK
    ),
    "media-proxy": _script("media_proxy", RTPENGINE="true", PRIVATE_ADDRESS=_LOOPBACK),
    "switch-app": _python(lambda variables: SwitchAppSettings.from_environment(variables, lambda: _LOOPBACK)),
    "freeswitch-event-logger": _python(EventLoggerSettings.from_environment),
    "gateway-scheduler": _python(
        lambda variables: SchedulerSettings.from_environment(variables, lambda: _LOOPBACK, lambda: "203.0.113.7")
    ),
}
"""By the image's name: takes an environment and an empty directory, and returns the names that the program reads.

Raises what the program raises, or a `ValueError` with what its entrypoint says.
"""
