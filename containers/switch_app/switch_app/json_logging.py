"""Logs as JSON, one object a line, which CloudWatch and people can search by key."""

import json
import logging
import sys
import time
from typing import Final, Protocol

_KNOWN: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class _Stream(Protocol):
    def write(self, text: str, /) -> object: ...


_encode: Final = json.JSONEncoder(default=str).encode


class JsonFormatter(logging.Formatter):
    """One JSON object a record, with what the record was given as `extra`."""

    def __init__(self) -> None:
        super().__init__()
        self._second, self._written = 0, ""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as JSON."""
        line = {
            "time": f"{self._written_second(int(record.created))}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in record.__dict__.items() if name not in _KNOWN}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _encode(line)

    def _written_second(self, second: int) -> str:
        """Return a second as text; many lines have the same."""
        if second != self._second:
            self._second, self._written = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return self._written


def log_to(stream: _Stream = sys.stdout, level: str = "INFO") -> None:
    """Have everything that is logged written to a stream, from a level on."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    # What no line has is not gathered for it: https://docs.python.org/3/howto/logging.html#optimization
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None

    logging.basicConfig(level=level, handlers=[handler], force=True)
