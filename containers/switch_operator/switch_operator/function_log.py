"""What a function logged: lines of JSON in CloudWatch Logs."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient

_PAGES: Final = 20
"""Of up to a megabyte each: what is looked through at most."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line: when it was logged (seconds since the epoch), and its keys."""

    at: float
    keys: dict[str, Any]


class FunctionLog:
    """The log of a function.

    Args:
        logs: a client.
        functions: tells where the function logs.
        arn: the function's.

    """

    def __init__(self, logs: "CloudWatchLogsClient", functions: "LambdaClient", arn: str) -> None:
        self._logs = logs
        configuration = functions.get_function_configuration(FunctionName=arn)
        name = arn.split(":")[6] if arn.count(":") >= 6 else arn
        self._group = configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}"

    def lines(self, message: str, since: float) -> list[LogLine]:
        """Return the lines with that `message`, the oldest first, since some seconds of the epoch."""
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=self._group,
            filterPattern=f'"{message}"',
            startTime=max(int(since * 1000), 0),
            PaginationConfig={"MaxItems": _PAGES * 10_000},
        )
        found = []
        for number, page in enumerate(pages):
            for event in page["events"]:
                keys = _keys(event["message"])
                if keys.get("message") == message:
                    found.append(LogLine(event["timestamp"] / 1000, keys))
            if number + 1 >= _PAGES:
                break
        return sorted(found, key=lambda line: line.at)


def _keys(line: str) -> dict[str, Any]:
    try:
        parsed = json.loads(line)
    except ValueError:
        return {}  # the runtime's own lines are no JSON
    return parsed if isinstance(parsed, dict) else {}
