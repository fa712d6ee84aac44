"""Runs the scheduler until it is told to stop (SIGTERM, SIGINT)."""

import json
import logging
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from opensips_scheduler.errors import InvalidSetting
from opensips_scheduler.scheduler import Scheduler
from opensips_scheduler.settings import Settings
from routing.errors import MissingSetting

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

logger = logging.getLogger("opensips_scheduler")

EX_CONFIG = 78
_LOOK_SECONDS = 0.2


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with what a record was given as `extra`."""

    _KNOWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as JSON."""
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in record.__dict__.items() if name not in self._KNOWN}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def main() -> int:
    """Run it; return the exit status."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    try:
        settings = Settings.from_environment(os.environ)
        dynamodb = _dynamodb()
        scheduler = Scheduler(settings, dynamodb)
    except (InvalidSetting, MissingSetting) as error:
        print(f"opensips_scheduler: {error}", file=sys.stderr)
        return EX_CONFIG
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    while not told.is_set():
        scheduler.start()
        logger.info("scheduler started", extra={"gateway": settings.gateway, "health_port": scheduler.health_port})
        while not told.is_set() and not scheduler.damaged.is_set():
            told.wait(_LOOK_SECONDS)
        scheduler.stop()
        if not told.is_set():
            scheduler = Scheduler(settings, dynamodb)
    logger.info("scheduler ended")
    return 0


def _dynamodb() -> "DynamoDBClient":
    # Short limits: a step that fails is tried again, and a SIGTERM waits for the one under way.
    config = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "max_attempts": 2})
    return boto3.client("dynamodb", config=config)


if __name__ == "__main__":
    sys.exit(main())
