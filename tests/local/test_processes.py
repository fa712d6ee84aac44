"""Processes are started, awaited and ended whole."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.errors import CommandFailed, ServerFailed
from local.processes import Identity, Server, run

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
FAMILY = [
    sys.executable,
    "-c",
    f"import subprocess, time; p = subprocess.Popen({SLEEPER!r}); print(p.pid, flush=True); time.sleep(60)",
]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]


def environment() -> dict[str, str]:
    return dict(os.environ)


def is_alive(pid: int) -> bool:
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(told.strip()) and not told.strip().startswith("Z")


def wait_until_dead(pid: int) -> None:
    for _ in range(100):
        if not is_alive(pid):
            return
        time.sleep(0.05)
    pytest.fail(f"process {pid} lives on")


def server(directory: Path, command: list[str], ready: bool = True) -> Server:
    return Server("a-server", command, environment(), directory, lambda: ready)


@pytest.fixture
def family(tmp_path: Path) -> Iterator[tuple[Server, int, int]]:
    """A server with a child of its own: the server, its process, the child's process."""
    parent = server(tmp_path, FAMILY)
    identity = parent.start()
    while not (text := parent.log.read_text().strip()):
        time.sleep(0.02)
    yield parent, identity.pid, int(text)
    parent.stop()


def test_a_server_is_ended_with_what_it_started(family: tuple[Server, int, int]) -> None:
    parent, pid, child = family
    assert is_alive(pid)
    assert is_alive(child)
    parent.stop()
    wait_until_dead(pid)
    wait_until_dead(child)


def test_what_a_dead_server_started_is_ended_too(family: tuple[Server, int, int]) -> None:
    parent, pid, child = family
    os.kill(pid, signal.SIGKILL)
    parent.stop()
    wait_until_dead(child)


def test_a_server_that_will_not_listen_is_forced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.processes._GRACE_SECONDS", 0.2)
    deaf = server(tmp_path, DEAF)
    pid = deaf.start().pid
    while not deaf.log.read_text():
        time.sleep(0.02)
    deaf.stop()
    assert not is_alive(pid)


def test_a_server_that_ends_at_once_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    broken = server(tmp_path, [sys.executable, "-c", "import sys; sys.exit('address already in use')"], ready=False)
    broken.start()
    with pytest.raises(ServerFailed, match=r"a-server ended with status 1(.|\n)*address already in use"):
        broken.wait_until_ready(10)


def test_a_server_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    silent = server(tmp_path, SLEEPER, ready=False)
    silent.start()
    with pytest.raises(ServerFailed, match="a-server does not answer after 0 seconds; it printed nothing"):
        silent.wait_until_ready(0.2)
    silent.stop()


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServerFailed, match="no-such-program"):
        server(tmp_path, ["no-such-program"]).start()
    with pytest.raises(CommandFailed, match="no-such-program"):
        run(["no-such-program"], environment(), tmp_path, tmp_path / "log", 5)


def test_a_process_is_ended_by_its_identity(tmp_path: Path) -> None:
    process = subprocess.Popen(SLEEPER, start_new_session=True)
    identity = Identity.of("sleeper", process.pid)
    assert Identity.from_json(identity.to_json()) == identity
    assert identity.is_alive()
    identity.end()
    assert not identity.is_alive()
    assert process.wait() == -signal.SIGTERM


def test_a_stranger_who_has_the_number_now_is_left_alone() -> None:
    stranger = subprocess.Popen(SLEEPER, start_new_session=True)
    recorded = Identity("emulator", stranger.pid, "Thu Jan  1 00:00:01 1970")
    assert not recorded.is_alive()
    recorded.end()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_command_that_fails_is_named_with_the_end_of_its_output(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('it broke'); raise SystemExit(3)"]
    with pytest.raises(CommandFailed, match=r"ended with status 3(.|\n)*it broke"):
        run(command, environment(), tmp_path, tmp_path / "log", 10)


def test_a_command_that_takes_too_long_is_ended_with_what_it_started(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(CommandFailed, match="takes longer than 1 seconds"):
        run(FAMILY, environment(), tmp_path, log, 1)
    wait_until_dead(int(log.read_text().split()[0]))


def test_ports_that_are_given_out_are_free() -> None:
    from local.servers import free_port

    with socket.create_server(("127.0.0.1", free_port())):
        pass
