"""What starts compose: the settings that it makes, what it says, and what it runs."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.dockerfiles import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the scripts, with a compose that notes what it is told."""
    (tmp_path / "local" / "compose").mkdir(parents=True)
    for name in ("start.sh", "stop.sh"):
        shutil.copy(ROOT / "local" / "compose" / name, tmp_path / "local" / "compose" / name)
    program = tmp_path / "compose"
    program.write_text(f'#!/bin/sh\n[ "$1" = version ] || echo "$HOST_ADDRESS $*" >> {tmp_path}/told\n')
    program.chmod(0o755)
    return tmp_path


def run(folder: Path, script: str = "start.sh", **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "COMPOSE": str(folder / "compose"), **settings}
    command = [folder / "local" / "compose" / script]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


def told(folder: Path) -> list[str]:
    return (folder / "told").read_text().splitlines()


def settings_of(folder: Path) -> dict[str, str]:
    lines = (folder / "local" / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_passwords_are_made_once_and_are_its_owners(folder: Path) -> None:
    assert run(folder, HOST_ADDRESS="192.0.2.7", SIGNALWIRE_TOKEN="token").returncode == 0
    first = settings_of(folder)
    passwords = [value for name, value in first.items() if name.endswith("PASSWORD")]
    assert len(set(passwords)) == 4
    assert all(re.fullmatch(r"[A-Za-z0-9]{24}", password) for password in passwords)
    assert (folder / "local" / ".env").stat().st_mode & 0o777 == 0o600
    assert run(folder, HOST_ADDRESS="192.0.2.8", SIGNALWIRE_TOKEN="token").returncode == 0
    assert settings_of(folder) == first
    assert "token" not in str(first)


def test_it_says_what_a_phone_needs(folder: Path) -> None:
    started = run(folder, HOST_ADDRESS="192.0.2.7", SIGNALWIRE_TOKEN="token")
    assert "Register your softphone with these values" in started.stdout
    assert settings_of(folder)["SIP_PASSWORD"] in started.stdout
    assert "192.0.2.7, port 5060" in started.stdout
    up = told(folder)[-1]
    assert up == "192.0.2.7 --file compose.yaml --profile switch up --build --detach --wait --wait-timeout 600"


def test_without_a_token_it_says_so_and_leaves_the_switch_out(folder: Path) -> None:
    started = run(folder, HOST_ADDRESS="192.0.2.7")
    assert started.returncode == 0
    assert "SIGNALWIRE_TOKEN is not set" in started.stderr
    assert "--profile" not in told(folder)[-1]


def test_images_that_are_there_need_no_token(folder: Path) -> None:
    started = run(folder, HOST_ADDRESS="192.0.2.7", BUILD="no")
    assert started.stderr == ""
    assert " --profile switch up --no-build " in told(folder)[-1]


def test_a_start_that_fails_says_no_values(folder: Path) -> None:
    (folder / "compose").write_text('#!/bin/sh\ncase "$*" in *" up "*) exit 4 ;; esac\n')
    started = run(folder, HOST_ADDRESS="192.0.2.7")
    assert started.returncode == 4
    assert "Register" not in started.stdout


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"HOST_ADDRESS": "laptop.local"}, "HOST_ADDRESS is 'laptop.local', not an IPv4 address"),
        ({"HOST_ADDRESS": "192.0.2.7", "COMPOSE": "no-such-compose"}, "'no-such-compose' does not work here"),
    ],
)
def test_a_wrong_wish_is_refused(settings: dict[str, str], said: str, folder: Path) -> None:
    started = run(folder, **settings)
    assert started.returncode == 1
    assert said in started.stderr


def test_the_end_removes_what_was_kept(folder: Path) -> None:
    assert "nothing was started" in run(folder, "stop.sh").stderr
    run(folder, HOST_ADDRESS="192.0.2.7")
    assert run(folder, "stop.sh").returncode == 0
    assert told(folder)[-1] == "127.0.0.1 --file compose.yaml --profile switch down --volumes --remove-orphans"
    assert (folder / "local" / ".env").exists()
