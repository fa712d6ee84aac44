"""Reads lines that processes log, as far as the page may show them. Pure.

The project's own processes write JSON whose `message` is a literal (`tests/containers/test_log_messages.py` sees to
that) and what varies in fields beside it; of these a list is taken, each checked for its form. What other programs and
libraries write is free text: of that only level and place are taken, and whoever wants the text reads the log.
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from local.live import fields

_LINE_MAXIMUM: Final = 65_536
_OWN_LOGGERS: Final = ("switch_app", "opensips_scheduler", "freeswitch_event_logger", "routing")
_LIBRARIES: Final = ("aiohttp", "asyncio", "boto3", "botocore", "s3transfer", "urllib3", "root")
_LOGGER: Final = re.compile(r"[a-z0-9_]+(?:\.[A-Za-z_]+)*")
_LOCATION: Final = re.compile(r"[a-z_]{1,60}:[0-9]{1,5}")
_MESSAGE: Final = re.compile(r"[A-Za-z][A-Za-z0-9 ,:;'()_.-]{0,119}")
_LONG_NUMBER: Final = re.compile(r"\d{4}|[0-9a-f]{16}", re.IGNORECASE)
_EXCEPTION: Final = re.compile(r"(?:\w+\.)*([A-Z][a-z][A-Za-z]{1,58})(?::|$)")
_WORDS: Final = re.compile(r"[a-z][a-z ]{0,39}")
ERRORS: Final = frozenset({"ERROR", "CRITICAL", "ALERT", "EMERG", "BUG"})
_LEVELS: Final = ERRORS | {"WARNING", "NOTICE", "INFO", "DEBUG"}
_SHORT_LEVELS: Final = {
    "ERR": "ERROR",
    "CRIT": "CRITICAL",
    "WARN": "WARNING",
    "FATAL": "CRITICAL",
    "EMERGENCY": "EMERG",
}

_OPENSIPS: Final = re.compile(r"(\w{3} [ \d]\d \d\d:\d\d:\d\d) \[\d+\] ([A-Z]+):(\w+:\w+):")
_REFUSED: Final = re.compile(r"call refused: (\S+) is no permitted address call_id=")
_FREESWITCH: Final = re.compile(
    r"(?:\x1b\[[0-9;]*m)?(?:[0-9a-f-]{36} )?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.\d+ (?:[\d.]+% )?"
    r"\[([A-Z]+)\] ([\w.-]+:\d+) "
)
_OTHER: Final = re.compile(
    r"[\d/:. ]*\[(error|crit|alert|emerg)\] "  # nginx
    r"|[^A-Za-z]{0,40}(ERR|CRIT|ALERT|EMERG): "  # rtpengine
    r"|.{0,60}?\b(ERROR|CRITICAL|FATAL)\b"  # Python's logging, in its usual forms
)


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line, or what may be known of it.

    Attributes:
        at: when, milliseconds since the epoch.
        level: as Python's logging calls it.
        place: logger, module and function, or source file.
        message: a literal of this project's code; empty for another's text.
        subject: what it is about: identifiers.
        values: further fields, each checked; by name.

    """

    at: int
    level: str
    place: str
    message: str = ""
    subject: str = ""
    values: Mapping[str, str | int] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return a field; empty where it is absent."""
        return str(self.values.get(name, ""))

    def number(self, name: str) -> int | None:
        """Return a number; None where it is absent."""
        value = self.values.get(name)
        return value if isinstance(value, int) else None

    @property
    def is_error(self) -> bool:
        """Whether it is of level ERROR or worse."""
        return self.level in ERRORS


def parse(text: str, now: int) -> LogLine | None:
    """Return what a line says that may be shown; None for nothing.

    Args:
        text: the line.
        now: milliseconds since the epoch, for a line that does not say when.

    """
    if len(text) > _LINE_MAXIMUM:
        return None
    if text.startswith("{"):
        return _parse_json(text, now)
    return _parse_opensips(text, now) or _parse_freeswitch(text, now) or _parse_other(text, now)


# --- JSON: this project's processes and functions

_CHECKS: Final[Mapping[str, Callable[[object], str | int | None]]] = {
    "call_sid": fields.call_identifier,
    "call_uuid": fields.call_identifier,
    "other_uuid": fields.call_identifier,
    "sip_call_id": lambda value: value if isinstance(value, str) and len(value) <= 256 else "",
    "verb": lambda value: value if isinstance(value, str) and re.fullmatch(r"[A-Z][a-z]{2,15}", value) else "",
    "direction": lambda value: fields.one_of(value, ("inbound", "outbound")),
    "cause": fields.cause,
    "hangup_cause": fields.cause,
    "event": fields.cause,
    "sip_status": fields.number,
    "Session-Count": fields.number,
    "Max-Sessions": fields.number,
    "outcome": fields.name,
    "phase": fields.name,
    "group": fields.identifier,
    "task_arn": fields.task,
    "rows_healed": fields.number,
    "check": fields.name,
}
"""Fields that are taken, and what each must be. `sip_call_id` is compared and never shown."""

_SUBJECTS: Final[Mapping[str, Callable[[object], str]]] = {
    "call_sid": lambda value: fields.call_identifier(value)[:8],
    "call_uuid": lambda value: fields.call_identifier(value)[:8],
    "task_arn": fields.task,
    "group": fields.identifier,
    "table": fields.name,
    "key": fields.identifier,
    "region": fields.identifier,
    "worker": lambda value: value if isinstance(value, str) and _WORDS.fullmatch(value) else "",
    "check": fields.name,
    "event_socket": fields.identifier,
    "gateway": fields.identifier,
    "error_type": fields.name,
    "cause": fields.name,
    "exception": lambda value: exception_name(value),
}
"""Fields that say what a line is about, in the order in which they are shown."""

_METRICS: Final = ("MessagesDone", "MessagesFailed", "RowsHealed", "RecordingsConverted")


def _parse_json(text: str, now: int) -> LogLine | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    if not isinstance(line, dict):
        return None
    level = str(line.get("level", "INFO")).upper()
    level = _SHORT_LEVELS.get(level, level)
    if level not in _LEVELS:
        return None
    metrics = line.get("_aws")
    told = fields.number(metrics.get("Timestamp")) if isinstance(metrics, dict) else None
    at = told or _time(line.get("time") or line.get("timestamp"), now)
    place = _place(line.get("logger") or line.get("location"))
    values: dict[str, str | int] = {}
    for name, check in _CHECKS.items():
        value = check(line[name]) if name in line else None
        if value is not None and value != "":
            values[name] = value
    for name in _METRICS:
        metric = line.get(name)
        if metrics and isinstance(metric, list) and metric and isinstance(metric[0], float):
            values[name] = int(metric[0])
    found = [said for name, say in _SUBJECTS.items() if name in line and (said := say(line[name]))]
    return LogLine(at, level, place, _message(line), " ".join(dict.fromkeys(found))[:120], values)


def _place(value: object) -> str:
    """Return a logger that there is, or a function with its line; empty for any other text."""
    text = value if isinstance(value, str) and len(value) <= 80 else ""
    is_known = text.split(".")[0] in (*_OWN_LOGGERS, *_LIBRARIES) and _LOGGER.fullmatch(text)
    return text if is_known or _LOCATION.fullmatch(text) else ""


def _message(line: Mapping[str, Any]) -> str:
    """Return the message of a line that this project wrote."""
    logger, message = line.get("logger"), line.get("message")
    # Powertools writes no logger, and is used by this project's functions alone.
    is_own = isinstance(logger, str) and logger.split(".")[0] in _OWN_LOGGERS
    is_function = logger is None and isinstance(line.get("location"), str) and "service" in line
    if not (is_own or is_function) or not isinstance(message, str):
        return ""
    return message if _MESSAGE.fullmatch(message) and not _LONG_NUMBER.search(message) else ""


def exception_name(traceback: object) -> str:
    """Return the type of the exception that a traceback ends with; what it says stays out, also on lines of its own."""
    if not isinstance(traceback, str):
        return ""
    _, header, last = traceback.rpartition("Traceback (most recent call last):")
    # The frames are indented; the first line that is not names the type.
    ends = [line for line in last.splitlines() if line and not line.startswith(" ")]
    found = _EXCEPTION.match(ends[0]) if header and ends else None
    return fields.name(found[1]) if found else ""


def _time(value: object, now: int) -> int:
    if not isinstance(value, str):
        return now
    try:
        return int(datetime.fromisoformat(value.replace(",", ".").replace("+0000", "+00:00")).timestamp() * 1000)
    except (ValueError, OverflowError):
        return now


# --- other programs


def _parse_opensips(text: str, now: int) -> LogLine | None:
    if refused := _REFUSED.search(text):
        source = fields.network(refused[1])
        return LogLine(now, "NOTICE", "", "call refused: its address is not permitted", source)
    found = _OPENSIPS.match(text)
    if found is None or found[2] not in _LEVELS:
        return None
    year = time.localtime(now / 1000).tm_year
    return LogLine(_local_time(f"{year} {found[1]}", "%Y %b %d %H:%M:%S", now), found[2], fields.name(found[3]))


def _parse_freeswitch(text: str, now: int) -> LogLine | None:
    found = _FREESWITCH.match(text)
    if found is None:
        return None
    level = _SHORT_LEVELS.get(found[2], found[2])
    if level not in _LEVELS:
        return None
    return LogLine(_local_time(found[1], "%Y-%m-%d %H:%M:%S", now), level, fields.name(found[3]))


def _parse_other(text: str, now: int) -> LogLine | None:
    found = _OTHER.match(text)
    if found is None:
        return None
    level = next(group for group in found.groups() if group).upper()
    return LogLine(now, _SHORT_LEVELS.get(level, level), "")


def _local_time(text: str, form: str, now: int) -> int:
    try:
        return int(time.mktime(time.strptime(text, form)) * 1000)
    except (ValueError, OverflowError):
        return now
