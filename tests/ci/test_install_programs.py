"""What CI installs for itself, with programs in the place of apt-get and sudo that say what they were told."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.dockerfiles import ROOT

PROGRAMS = ("curl", "ip", "sipp", "rtpengine", "shellcheck", "chromium")


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A PATH with the tools of the script, of a user that is root, and none of the programs that tests run."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "env", "tee", "chmod", "rm", "cat"):
        program = shutil.which(name)
        assert program
        (folder / name).symlink_to(program)
    add(folder, "id", "echo 0")
    return folder


def add(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def add_apt(folder: Path, status: str = "0") -> None:
    """Put an apt-get there that notes what it is told, and whether services are forbidden then."""
    add(
        folder,
        "apt-get",
        f'echo "$@" >> {folder}/told\n[ ! -e {folder}/policy ] || echo forbidden >> {folder}/told\nexit {status}',
    )


def install(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(folder), "POLICY_RC_D": str(folder / "policy")}
    script = ROOT / ".ci" / "install-programs"
    return subprocess.run([script], env=environment, capture_output=True, text=True, timeout=30, check=False)


def told(folder: Path) -> str:
    path = folder / "told"
    return path.read_text() if path.exists() else ""


def test_what_is_missing_is_installed_and_no_service_starts(programs: Path) -> None:
    add(programs, "curl", "")
    add_apt(programs)
    ended = install(programs)
    assert (ended.returncode, ended.stderr) == (0, "")
    commands = told(programs).splitlines()
    assert commands[0].endswith(" update")
    installed = [line.split()[-1] for line in commands if " install " in line]
    assert installed == ["iproute2", "sip-tester", "rtpengine-daemon", "shellcheck", "chromium"]
    assert commands.count("forbidden") == 6
    assert not (programs / "policy").exists()


def test_a_policy_that_is_there_stays(programs: Path) -> None:
    (programs / "policy").write_text("own")
    add_apt(programs)
    assert install(programs).returncode == 0
    assert (programs / "policy").read_text() == "own"


def test_where_all_is_there_nothing_is_done(programs: Path) -> None:
    for name in PROGRAMS:
        add(programs, name, "")
    add_apt(programs)
    ended = install(programs)
    assert (ended.returncode, ended.stderr, told(programs)) == (0, "", "")


def test_chrome_stands_in_for_chromium(programs: Path) -> None:
    for name in (*PROGRAMS[:-1], "google-chrome"):
        add(programs, name, "")
    add_apt(programs)
    assert (install(programs).returncode, told(programs)) == (0, "")


def test_a_package_that_cannot_be_installed_is_named_and_the_others_are_installed(programs: Path) -> None:
    add_apt(programs, status='"$(case "$*" in *rtpengine*) echo 100 ;; *) echo 0 ;; esac)"')
    ended = install(programs)
    assert ended.returncode == 0
    assert ended.stderr == "ci: not installed: rtpengine-daemon; tests that need it are skipped\n"
    assert " shellcheck\n" in told(programs)


def test_without_apt_it_goes_on(programs: Path) -> None:
    ended = install(programs)
    assert ended.returncode == 0
    assert (
        "ci: not installed: curl iproute2 sip-tester rtpengine-daemon shellcheck chromium: there is no apt-get"
        in ended.stderr
    )


@pytest.mark.parametrize("sudo", [None, "exit 1"])
def test_without_rights_it_goes_on(sudo: str | None, programs: Path) -> None:
    add(programs, "id", "echo 1000")
    add_apt(programs)
    if sudo:
        add(programs, "sudo", sudo)
    ended = install(programs)
    assert ended.returncode == 0
    assert "neither root nor sudo without password" in ended.stderr
    assert told(programs) == ""


def test_sudo_without_password_is_used(programs: Path) -> None:
    add(programs, "id", "echo 1000")
    add(programs, "sudo", f'echo sudo >> {programs}/told\n[ "$1" = -n ] && shift && [ "$1" = true ] || exec "$@"')
    add_apt(programs)
    ended = install(programs)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert " install " in told(programs)
    assert not (programs / "policy").exists()
