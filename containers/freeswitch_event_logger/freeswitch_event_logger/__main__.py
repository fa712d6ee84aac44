"""Runs the sidecar until it is told to stop (SIGTERM, SIGINT), calls are over and their records have left the disk."""

import asyncio
import logging
import os
import signal
import sys
from typing import Final

import boto3
from botocore.config import Config

from freeswitch_event_logger.application import Application
from freeswitch_event_logger.log_stream import LogStream
from freeswitch_event_logger.settings import Settings
from switch_app.errors import CannotBegin, InvalidSetting
from switch_app.json_logging import log_to

logger = logging.getLogger(__name__)

EX_CONFIG: Final = 78
_LOG_SECONDS: Final = 2.0


def main() -> int:
    """Run it; return the exit status: 0 when no record is left on the disk, 1 when some are, 78 when it could not
    begin."""
    stream = LogStream(sys.stdout)
    try:
        settings = Settings.from_environment(os.environ)
        log_to(stream, settings.log_level)
        return asyncio.run(run(settings, stream))
    except (InvalidSetting, CannotBegin) as error:
        print(f"freeswitch_event_logger: {error}", file=sys.stderr)
        return EX_CONFIG
    finally:
        stream.end(_LOG_SECONDS)


async def run(settings: Settings, stream: LogStream) -> int:
    """Run it until it is told to stop.

    Raises:
        CannotBegin: saying why.

    """
    told, at_once = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: at_once.set() if told.is_set() else told.set())
    config = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
    try:
        ssm = boto3.client("ssm", region_name=settings.platform_password_region, config=config)
        application = Application(settings, ssm, stream)
    except OSError as error:
        raise CannotBegin(str(error)) from error
    try:
        try:
            await application.start()
        except OSError as error:
            raise CannotBegin(str(error)) from error
        waits = [asyncio.create_task(told.wait()), asyncio.create_task(application.failed())]
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        waits[1].cancel()
        if waits[1] in done:
            waits[0].cancel()
            await waits[1]  # a fault of ours ends the process, and whoever watches the container starts another
        is_drained = await application.drain(at_once)
    finally:
        await application.close()
    logger.info("ended", extra={"is_drained": is_drained})
    return 0 if is_drained else 1


if __name__ == "__main__":
    sys.exit(main())
