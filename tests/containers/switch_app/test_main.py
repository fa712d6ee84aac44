"""The app as a process: how it begins and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.containers.switch_app.test_settings import REQUIRED
from tests.containers.switch_app.whole_app import free_port
from tests.support.services_environment import AWS

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = {
    **AWS,
    **REQUIRED,
    "PATH": os.environ["PATH"],
    "PYTHONPATH": str(ROOT / "containers" / "switch_app"),
    "HOST_ADDRESS": "10.10.1.13",
    # Nothing listens there: AWS, the platform and FreeSWITCH are all out of reach.
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "CALL_PLATFORM_HOST": "http://127.0.0.1:9",
    "FS_EVENT_SOCKET_PORT": "9",
}


def environment(tmp_path: Path, **changes: str) -> dict[str, str]:
    directories = {"FS_CACHE_DIRECTORY": str(tmp_path / "cache"), "FS_STORAGE_DIRECTORY": str(tmp_path / "storage")}
    return {**ENVIRONMENT, **directories, "FS_SWITCH_APP_ADDRESS": f"127.0.0.1:{free_port()}", **changes}


def run(settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "switch_app"]
    return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("name", ["AHN_HTTP_PASSWORD", "REGION"])
def test_names_a_missing_setting(name: str, tmp_path: Path) -> None:
    ended = run(environment(tmp_path, **{name: ""}))
    assert ended.returncode == 78
    assert ended.stderr == f"switch_app: environment variable {name} is not set\n"


def test_says_that_its_port_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = run(environment(tmp_path, AHN_CORE_HTTP_PORT=str(taken.getsockname()[1])))
    assert ended.returncode == 78
    assert "address already in use" in ended.stderr


def test_names_a_directory_that_it_may_not_write_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = run(environment(tmp_path, FS_STORAGE_DIRECTORY=str(tmp_path / "file")))
    assert ended.returncode == 78
    assert str(tmp_path / "file") in ended.stderr


def test_runs_without_freeswitch_and_ends_when_it_is_told(tmp_path: Path) -> None:
    port = str(free_port())
    settings = environment(tmp_path, AHN_CORE_HTTP_PORT=port)
    process = subprocess.Popen(
        [sys.executable, "-m", "switch_app"], env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        status, text = health(port)
        assert status == 500
        assert "app: ok\nfreeswitch: FreeSWITCH is not reached" in text
        check = subprocess.run([sys.executable, "-m", "switch_app.healthcheck"], env=settings, check=False, timeout=20)
        assert check.returncode == 1
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert errors == ""
    assert process.returncode == 0
    entries = [json.loads(line) for line in output.splitlines()]
    messages = [entry.get("message") for entry in entries]
    assert messages[-1] == "ended"
    assert "drained" in messages
    assert any("_aws" in entry for entry in entries)
    assert not [line for line in output.splitlines() if "secret-" in line]


def health(port: str) -> tuple[int, str]:
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health_checks", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
