"""Follows what functions log, in CloudWatch Logs."""

import itertools
from collections import deque
from typing import TYPE_CHECKING, Final

from local.live.log_lines import LogLine, parse

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient

_HISTORY_MILLISECONDS: Final = 15 * 60 * 1000
_OVERLAP_MILLISECONDS: Final = 10_000
"""Lines may come later than ones with a later time; what is older than this then is missed."""
_PAGES_MAXIMUM: Final = 5
_KNOWN_MAXIMUM: Final = 20_000


class FunctionLog:
    """One function's log.

    Args:
        functions: a Lambda client, which knows where the function logs.
        logs: a CloudWatch Logs client.
        function: its name.
        name: what it is called.

    """

    def __init__(self, functions: "LambdaClient", logs: "CloudWatchLogsClient", function: str, name: str) -> None:
        self._functions, self._logs, self._function, self.name = functions, logs, function, name
        self._group: str | None = None
        self._since: int | None = None
        self._known: set[int] = set()
        self._order: deque[int] = deque()

    @property
    def group(self) -> str:
        """Its log group; empty before the first look."""
        return self._group or ""

    def read(self, now: int) -> list[LogLine]:
        """Return what was logged since the last look; `now` in milliseconds since the epoch."""
        if self._group is None:
            configuration = self._functions.get_function_configuration(FunctionName=self._function)
            self._group = configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{self._function}"
        since = now - _HISTORY_MILLISECONDS if self._since is None else self._since - _OVERLAP_MILLISECONDS
        paginator = self._logs.get_paginator("filter_log_events")
        pages = paginator.paginate(logGroupName=self._group, startTime=max(since, 0))
        lines = []
        for page in itertools.islice(pages, _PAGES_MAXIMUM):
            for event in page.get("events", ()):
                at, text = int(event["timestamp"]), str(event["message"]).strip()
                self._since = max(self._since or 0, at)
                # Not every emulator has identifiers of events; time, stream and text tell them apart as well.
                if self._is_new(hash((at, event.get("logStreamName"), text))) and text.startswith("{"):
                    line = parse(text, at)
                    if line is not None:
                        lines.append(line)
        if self._since is None:
            self._since = now
        return lines

    def _is_new(self, identity: int) -> bool:
        if identity in self._known:
            return False
        self._known.add(identity)
        self._order.append(identity)
        if len(self._order) > _KNOWN_MAXIMUM:
            self._known.discard(self._order.popleft())
        return True
