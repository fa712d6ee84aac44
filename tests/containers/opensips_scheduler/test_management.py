"""Commands to OpenSIPS: what comes back, what does not, and nobody there."""

import json
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensips_scheduler import json_rpc, schema
from opensips_scheduler.errors import ManagementError, NotRunning, Unreachable
from opensips_scheduler.management_interface import ManagementInterface
from opensips_scheduler.management_pipe import ManagementPipe
from opensips_scheduler.opensips_end import end_opensips
from tests.fakes.opensips import FakeOpensips

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)


@given(st.integers(0, 2**31), VALUES)
def test_whatever_the_result_is_it_is_the_result(identifier: int, value: Any) -> None:
    message = json_rpc.parse(json.dumps({"jsonrpc": "2.0", "id": identifier, "result": value}).encode(), "x")
    assert json_rpc.belongs_to(message, identifier)
    assert not json_rpc.belongs_to(message, identifier + 1)
    assert json_rpc.result(message, "x") == value


@given(st.binary())
def test_what_is_no_answer_is_refused_by_the_command_s_name(answer: bytes) -> None:
    try:
        message = json_rpc.parse(answer, "lb_list")
    except ManagementError as error:
        assert "lb_list" in str(error)  # noqa: PT017 - bytes that happen to be an object are one
    else:
        assert isinstance(message, dict)


@pytest.fixture
def directory() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="mi-"))
    yield path
    shutil.rmtree(path)


def answering(path: Path, answers: Callable[[dict[str, Any]], list[bytes]]) -> threading.Thread:
    """Answer one request with some datagrams."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(path))

    def serve() -> None:
        with listener:
            request, peer = listener.recvfrom(65_536)
            for answer in answers(json.loads(request)):
                listener.sendto(answer, peer)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def test_an_answer_with_nothing_in_it_is_an_answer(directory: Path) -> None:
    def answers(request: dict[str, Any]) -> list[bytes]:
        return [json.dumps({"id": request["id"], "result": None}).encode()]

    thread = answering(directory / "mi.sock", answers)
    began = time.monotonic()
    assert ManagementInterface(directory / "mi.sock", directory / "own.sock").call("rtpengine_show") is None
    assert time.monotonic() - began < 1
    thread.join()


def test_a_late_answer_to_an_earlier_command_is_passed_over(directory: Path) -> None:
    def answers(request: dict[str, Any]) -> list[bytes]:
        late = json.dumps({"id": request["id"] - 1, "result": None}).encode()
        return [late, json.dumps({"id": request["id"], "result": "mine"}).encode()]

    thread = answering(directory / "mi.sock", answers)
    assert ManagementInterface(directory / "mi.sock", directory / "own.sock").call("which") == "mine"
    thread.join()


def test_only_late_answers_are_no_answer_and_the_time_limit_holds(directory: Path) -> None:
    def answers(request: dict[str, Any]) -> list[bytes]:
        return [json.dumps({"id": request["id"] - 1, "result": "OK"}).encode()] * 3

    thread = answering(directory / "mi.sock", answers)
    began = time.monotonic()
    with pytest.raises(Unreachable, match="no answer"):
        ManagementInterface(directory / "mi.sock", directory / "own.sock", 0.2).call("which")
    assert time.monotonic() - began < 1
    thread.join()


def test_nobody_there_is_told_from_no_answer(directory: Path) -> None:
    interface = ManagementInterface(directory / "mi.sock", directory / "own.sock", 0.2)
    pipe = ManagementPipe(directory / "mi.fifo", directory / "own", 0.2)
    for way in (interface, pipe):
        with pytest.raises(NotRunning):
            way.call("uptime")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(directory / "mi.sock"))
        with pytest.raises(Unreachable) as silent:
            interface.call("uptime")
        assert not isinstance(silent.value, NotRunning)
    with pytest.raises(NotRunning):  # the socket of one that ended
        interface.call("uptime")
    os.mkfifo(directory / "mi.fifo")
    with pytest.raises(NotRunning):  # the pipe of one that was killed
        pipe.call("uptime")
    assert not (directory / "own").exists()


def test_a_pipe_that_is_read_and_not_answered_has_a_time_limit(directory: Path) -> None:
    os.mkfifo(directory / "mi.fifo")
    reader = os.open(directory / "mi.fifo", os.O_RDONLY | os.O_NONBLOCK)
    try:
        began = time.monotonic()
        with pytest.raises(Unreachable, match="no whole answer"):
            ManagementPipe(directory / "mi.fifo", directory / "own", 0.2).call("lb_list")
        assert time.monotonic() - began < 1
    finally:
        os.close(reader)


def test_half_an_answer_through_the_pipe_is_an_error(directory: Path) -> None:
    os.mkfifo(directory / "mi.fifo")
    reader = os.open(directory / "mi.fifo", os.O_RDWR)

    def serve() -> None:
        os.read(reader, 4096)
        with open(directory / "own", "wb") as answer:
            answer.write(b'{"id": 1, "result": {"Destinations": [')

    thread = threading.Thread(target=serve)
    thread.start()
    with pytest.raises(ManagementError, match="cut off"):
        ManagementPipe(directory / "mi.fifo", directory / "own", 5).call("lb_list")
    thread.join()
    os.close(reader)


def test_a_request_that_no_pipe_takes_whole_is_refused(directory: Path) -> None:
    with pytest.raises(ManagementError, match="too long"):
        ManagementPipe(directory / "mi.fifo", directory / "own").call("x", {"value": "x" * 4_000})


def test_opensips_is_told_until_none_is_left(directory: Path) -> None:
    schema.create_routing_database(directory / "routing.db")
    interface = ManagementInterface(directory / "mi.sock", directory / "own.sock", 0.2)
    with FakeOpensips(directory) as running:
        end_opensips(interface, 5)
        assert not running.running
    end_opensips(interface, 5)


def test_one_that_does_not_end_is_an_error_in_the_end(directory: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(directory / "mi.sock"))
        with pytest.raises(Unreachable, match="does not end"):
            end_opensips(ManagementInterface(directory / "mi.sock", directory / "own.sock", 0.1), 0.3, pause=0.01)
