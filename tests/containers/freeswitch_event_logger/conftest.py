"""The event logger as a process, between an event socket, a platform and a parameter store."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.containers.switch_app.whole_app import free_port
from tests.fakes.call_platform import CallPlatform
from tests.fakes.event_socket import EventSocket
from tests.fakes.parameter_store import ParameterStore
from tests.support.event_logger import PARAMETER, PASSWORD, EventLogger


@pytest.fixture
def event_socket() -> Iterator[EventSocket]:
    with EventSocket("127.0.0.1", 0, "event-socket-secret", interval=0.1) as running:
        yield running


@pytest.fixture
def platform() -> Iterator[CallPlatform]:
    with CallPlatform("services", PASSWORD) as running:
        yield running


@pytest.fixture
def parameters() -> Iterator[ParameterStore]:
    with ParameterStore({PARAMETER: PASSWORD}) as running:
        yield running


@pytest.fixture
def event_logger(
    tmp_path: Path, event_socket: EventSocket, platform: CallPlatform, parameters: ParameterStore
) -> Iterator[Callable[..., EventLogger]]:
    """Start an event logger, with further settings."""
    with ExitStack() as stack:

        def make(**settings: str) -> EventLogger:
            address = f"127.0.0.1:{event_socket.port}"
            logger = EventLogger(
                tmp_path, address, event_socket.password, platform.url, parameters.url, free_port(), settings
            )
            return stack.enter_context(logger)

        yield make
