"""Reads every source again and again, each at its own pace and in a thread, and tells the model what was seen.

A source that fails holds up no other; the page says which it is, and it is tried again.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from local.live import counts
from local.live.calls import Calls
from local.live.function_logs import FunctionLog
from local.live.gateway_reader import GatewayReader, GatewaySeen
from local.live.gateway_reports import TargetLoad
from local.live.happenings import Happenings
from local.live.log_lines import LogLine, parse
from local.live.log_tail import LogTail
from local.live.model import Model
from local.live.routing_rows import JournalChange, RoutingRows, TablesSeen
from local.live.rows import Call, Capacity, Event, MediaProxy, Queue, Row, Switch, TableState, Target, Unread
from local.live.sources import LogFile, LogKind, Sources

if TYPE_CHECKING:
    from local.live.clients import Clients

logger = logging.getLogger(__name__)

_THREADS: Final = 6
_TABLE_SECONDS: Final = 0.5
_GATEWAY_SECONDS: Final = 1.0
_LOG_SECONDS: Final = 0.25
_FUNCTION_SECONDS: Final = 1.0
_QUEUE_SECONDS: Final = 2.0
_PLATFORM_SECONDS: Final = 2.0

T = TypeVar("T")


def milliseconds() -> int:
    """Return the time, in milliseconds since the epoch."""
    return int(time.time() * 1000)


@dataclass(frozen=True)
class _Reading(Generic[T]):
    """Something that is read: what it is called, how often, how, and what is done with it in the event loop."""

    name: str
    seconds: float
    read: Callable[[], T]
    take: Callable[[T], None]


class Watch:
    """Follows a system.

    Args:
        sources: where to read.
        clients: of AWS.
        model: what is told.

    """

    def __init__(self, sources: Sources, clients: "Clients", model: Model) -> None:
        self._sources, self._clients, self._model = sources, clients, model
        self._happenings = Happenings(model)
        names = {switch.address: switch.name for switch in sources.switches}
        self._calls = Calls(lambda address: names.get(address, address))
        self._targets: dict[str, Target] = {}
        self._proxies: dict[str, MediaProxy] = {}
        self._loads: dict[str, tuple[TargetLoad, ...]] = {}
        self._proxies_in_use: dict[str, list[str]] = {}
        for switch in sources.switches:
            model.put(switch.name, Switch(switch.name, switch.address))

    async def run(self) -> None:
        """Follow it until this is cancelled."""
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="reads") as threads:
            async with asyncio.TaskGroup() as tasks:
                for reading in self._readings():
                    tasks.create_task(self._repeat(reading, threads))

    async def _repeat(self, reading: _Reading[Any], threads: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                reading.take(await loop.run_in_executor(threads, reading.read))
            except Exception as error:  # whatever one source does, the page goes on with the others, and says so
                logger.debug("a source cannot be read", exc_info=error)
                self._model.put(reading.name, Unread(reading.name, type(error).__name__))
            else:
                self._model.remove(Unread, reading.name)
            await asyncio.sleep(reading.seconds)

    def _readings(self) -> list[_Reading[Any]]:
        sources, clients = self._sources, self._clients
        found: list[_Reading[Any]] = []
        if sources.tables:
            tables = RoutingRows(clients.dynamodb, sources.table_names, time.time)
            found.append(_Reading("routing tables", _TABLE_SECONDS, tables.read, self._take_tables))
        for gateway in sources.gateways:
            reader = GatewayReader(gateway)
            found.append(_Reading(gateway.name, _GATEWAY_SECONDS, reader.read, self._take_gateway))
        if sources.logs:
            tails = [(log, LogTail(Path(log.path))) for log in sources.logs]
            found.append(_Reading("logs", _LOG_SECONDS, lambda: _read_logs(tails), self._take_logs))
        for function in sources.functions:
            log = FunctionLog(clients.functions, clients.logs, function)
            found.append(
                _Reading(
                    f"log of {function}",
                    _FUNCTION_SECONDS,
                    lambda log=log: (log, log.read(milliseconds())),  # type: ignore[misc]
                    self._take_function,
                )
            )
        if sources.queues:
            found.append(
                _Reading(
                    "queues",
                    _QUEUE_SECONDS,
                    lambda: counts.read_queues(clients.sqs, sources.queues),
                    lambda rows: self._model.replace(Queue, rows),
                )
            )
        if (url := sources.platform_url) is not None:
            found.append(
                _Reading(
                    "call platform",
                    _PLATFORM_SECONDS,
                    lambda: counts.read_capacities(url),
                    lambda rows: self._model.replace(Capacity, rows),
                )
            )
        return found

    # --- what is done with what was read

    def _take_tables(self, seen: TablesSeen) -> None:
        for kind, rows in seen.rows.items():
            if kind is Target:
                self._targets = {key: row for key, row in rows.items() if isinstance(row, Target)}
            elif kind is MediaProxy:
                self._proxies = {key: row for key, row in rows.items() if isinstance(row, MediaProxy)}
            else:
                self._model.replace(kind, rows)
        if seen.rows:
            self._put_used()
        for name, state in seen.tables.items():
            self._model.put(name, state)
        for change in seen.changes:
            self._happenings.note(_event_of(change))
        if not seen.tables:
            return
        # Tables come in the order of their names, whichever was read first.
        self._model.replace(
            TableState, {key: row for key in sorted(self._model.keys(TableState)) if (row := self._table(key))}
        )

    def _table(self, key: str) -> Row | None:
        return self._model.get(TableState, key)

    def _take_gateway(self, seen: GatewaySeen) -> None:
        name = seen.row.name
        self._model.put(name, seen.row)
        self._proxies_in_use[name] = seen.proxies
        if seen.management is not None:
            self._loads[name] = seen.management.targets
            self._calls.take_dialogs(name, seen.management.dialogs, milliseconds())
            self._model.replace(Call, self._calls.rows())
        else:
            self._loads.pop(name, None)
        self._put_used()

    def _put_used(self) -> None:
        """Put targets and proxies as the tables have them, with what the gateways make of them."""
        loads: dict[str, list[TargetLoad]] = {}
        for told in self._loads.values():
            for load in told:
                loads.setdefault(load.uri, []).append(load)
        rows: dict[str, Row] = {}
        for uri, target in self._targets.items():
            counted = loads.get(uri, [])
            if target.state == "in use" and counted:
                is_silent = not all(load.is_enabled for load in counted)
                calls, limit = sum(load.calls for load in counted), max(load.limit for load in counted)
                target = replace(target, state="silent" if is_silent else target.state, calls=calls, limit=limit)
            rows[uri] = target
        self._model.replace(Target, rows)
        asked = [gateway.name for gateway in self._sources.gateways if gateway.kind == "client"]
        proxies: dict[str, Row] = {}
        for socket, proxy in self._proxies.items():
            users = sum(socket in self._proxies_in_use.get(name, ()) for name in asked)
            is_unused = asked and not users and proxy.state == "in use"
            proxies[socket] = replace(
                proxy, state="silent" if is_unused else proxy.state, gateways=users if asked else None
            )
        self._model.replace(MediaProxy, proxies)

    def _take_logs(self, lines: list[tuple[LogFile, int, LogLine]]) -> None:
        if not lines:
            return
        for log, number, line in lines:
            self._happenings.take(log.process, line, f"{Path(log.path).name}, line {number}")
            if log.kind in (LogKind.SWITCH_APP, LogKind.EVENT_LOGGER):
                switch = log.switch or log.process
                self._calls.take(line, switch)
                self._take_heartbeat(switch, line)
        self._model.replace(Call, self._calls.rows())

    def _take_heartbeat(self, name: str, line: LogLine) -> None:
        sessions = line.number("Session-Count")
        known = self._model.get(Switch, name)
        if sessions is not None and isinstance(known, Switch):
            self._model.put(name, replace(known, sessions=sessions, maximum=line.number("Max-Sessions")))

    def _take_function(self, read: tuple[FunctionLog, list[LogLine]]) -> None:
        log, lines = read
        for line in lines:
            self._happenings.take(_short(log.function), line, log.group)


def _read_logs(tails: list[tuple[LogFile, LogTail]]) -> list[tuple[LogFile, int, LogLine]]:
    """Read what was added to each log, in the order of time."""
    now = milliseconds()
    found = [
        (log, number, line)
        for log, tail in tails
        for number, text in tail.read()
        if not (log.kind is LogKind.EMULATOR and text.startswith("{")) and (line := parse(text, now)) is not None
    ]
    return sorted(found, key=lambda each: each[2].at)


def _event_of(change: JournalChange) -> Event:
    table = change.table.value.replace("_", " ")
    what = {"put": "row put", "delete": "row deleted"}.get(change.operation, "row changed")
    return Event(milliseconds(), "journal", what, f"{table} {change.key}, change {change.number}")


def _short(function: str) -> str:
    """Return which of the functions it is: their deployed names begin with the stack's and end with a random part."""
    known = {"S3Mpeg": "s3_mpeg function", "ServicesFunction": "services function"}
    return next((name for part, name in known.items() if part in function), function)
