"""The parts together, where a process would take too long."""

import asyncio
import io
from pathlib import Path

import pytest

from freeswitch_event_logger import application
from freeswitch_event_logger.application import Application
from freeswitch_event_logger.log_stream import LogStream
from freeswitch_event_logger.settings import Settings
from tests.containers.switch_app.whole_app import free_port
from tests.fakes.event_socket import EventSocket


async def test_a_connection_that_fell_silent_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "_SILENCE_SECONDS", 0.2)
    monkeypatch.setattr(application, "_WATCH_SECONDS", 0.05)
    with EventSocket("127.0.0.1", 0, interval=None) as silent:
        settings = Settings.from_environment(
            {
                "AWS_DEFAULT_REGION": "ap-southeast-1",
                "CALL_DATA_RECORDS_DIRECTORY": str(tmp_path),
                "CALL_PLATFORM_HOST": "http://127.0.0.1:9",
                "CALL_PLATFORM_PASSWORD_PARAMETER": "parameter",
                "EVENT_SOCKET_HOST": f"127.0.0.1:{silent.port}",
                "EVENT_SOCKET_PASSWORD": silent.password,
                "HEALTHCHECK_PORT": str(free_port()),
            }
        )
        logger = Application(settings, None, LogStream(io.StringIO()))
        await logger.start()
        try:
            async with asyncio.timeout(5):
                while len(silent.logins) < 3:
                    await asyncio.sleep(0.02)
        finally:
            await logger.close()
