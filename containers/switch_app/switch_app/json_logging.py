"""Logs as JSON, one object a line, which CloudWatch and people can search by key."""

import json
import logging
import sys
import time
from typing import Final, Protocol

_KNOWN: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class _Stream(Protocol):
    def write(self, text: str, /) -> object: ...


class JsonFormatter(logging.Formatter):
    """One JSON object a record, with what the record was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as JSON."""
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in record.__dict__.items() if name not in _KNOWN}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def log_to(stream: _Stream = sys.stdout, level: str = "INFO") -> None:
    """Have everything that is logged written to a stream, from a level on."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
