"""Runs the demo as a user does, with its runs kept in a directory of a test's own."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local.processes import Identity
from local.run_directory import ROOT

_PATH = os.pathsep.join(
    ("layers/routing/python", *(f"containers/{name}" for name in ("opensips_scheduler", "switch_app")))
)


def start(home: Path, *arguments: str, settings: dict[str, str] | None = None) -> "subprocess.Popen[bytes]":
    """Start the demo, its runs kept below `home`."""
    with (home.parent / f"{home.name}.out").open("w") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "local.demo", *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": _PATH, "SOMLENG_SWITCH_LOCAL": str(home), **(settings or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def output_of(home: Path) -> str:
    """Return what the demo has printed."""
    return (home.parent / f"{home.name}.out").read_text()


def wait_for(what: str, is_so: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds} seconds for {what}")
        time.sleep(0.1)


def processes_of_runs(home: Path) -> list[Identity]:
    records = home.glob("run-*/processes.json")
    return [Identity.from_json(each) for record in records for each in json.loads(record.read_text())["processes"]]


def mentioning(home: Path) -> list[str]:
    """Return the processes of this machine whose command line names the directory."""
    listed = subprocess.run(["ps", "-eww", "-o", "args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(home) in line]


def nat_devices(home: Path) -> set[str]:
    """Return the network devices of this machine that clients behind NAT of the demo's run have, or had."""
    return {f"switch-nat{number}" for number in re.findall(r"198\.18\.(\d+)\.10", output_of(home))}


def devices_left(home: Path) -> set[str]:
    """Return those of them that are still there."""
    return {name for name in nat_devices(home) if Path("/sys/class/net", name).exists()}


def stop(home: Path) -> str:
    """Do what `make stop` does, and return what it said."""
    environment = {**os.environ, "PYTHONPATH": _PATH, "SOMLENG_SWITCH_LOCAL": str(home)}
    command = [sys.executable, "-m", "local.stop"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
