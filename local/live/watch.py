"""Reads every source again and again, each at its own pace and in a thread, and tells the model what was seen.

A source that fails holds up no other; the page says which it is, and it is tried again.
"""

import asyncio
import functools
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
from local.live.rows import Call, Capacity, Event, Gateway, MediaProxy, Queue, Row, Switch, TableState, Target, Unread
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
_SOURCES_SECONDS: Final = 0.5

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
        changed: returns where to read from now on, when that has changed; None while it has not.

    """

    def __init__(
        self,
        sources: Sources,
        clients: "Clients",
        model: Model,
        changed: Callable[[], Sources | None] = lambda: None,
    ) -> None:
        self._sources, self._clients, self._model, self._changed = sources, clients, model, changed
        self._happenings = Happenings(model)
        self._calls = Calls(self._switch_at)
        self._tails: dict[str, tuple[LogFile, LogTail]] = {}
        self._targets: dict[str, Target] = {}
        self._proxies: dict[str, MediaProxy] = {}
        self._loads: dict[str, tuple[TargetLoad, ...]] = {}
        self._proxies_in_use: dict[str, list[str]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Follow it until this is cancelled."""
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="reads") as threads:
            async with asyncio.TaskGroup() as group:
                self._follow(self._sources, group, threads)
                while True:
                    await asyncio.sleep(_SOURCES_SECONDS)
                    if (sources := self._changed()) is not None:
                        self._follow(sources, group, threads)

    def _follow(self, sources: Sources, group: asyncio.TaskGroup, threads: ThreadPoolExecutor) -> None:
        """Read these sources from now on; what is read already goes on."""
        self._sources = sources
        for log in sources.logs:
            # The log of a process that has ended may have lines that are not read yet.
            self._tails.setdefault(log.path, (log, LogTail(Path(log.path))))
        switches: dict[str, Row] = {}
        for switch in sources.switches:
            known = self._model.get(Switch, switch.name)
            is_same = isinstance(known, Switch) and known.address == switch.address
            switches[switch.name] = known if is_same and known else Switch(switch.name, switch.address)
        self._model.replace(Switch, switches)
        readings = {reading.name: reading for reading in self._readings()}
        for name in [name for name in self._tasks if name not in readings]:
            self._tasks.pop(name).cancel()
            self._model.remove(Unread, name)
            self._model.remove(Gateway, name)
            self._loads.pop(name, None)
        for name, reading in readings.items():
            if name not in self._tasks:
                self._tasks[name] = group.create_task(self._repeat(reading, threads))

    def _switch_at(self, address: str) -> str:
        return next((switch.name for switch in self._sources.switches if switch.address == address), address)

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
        found: list[_Reading[Any]] = [
            _Reading("logs", _LOG_SECONDS, lambda: _read_logs(list(self._tails.values())), self._take_logs)
        ]
        if sources.tables:
            tables = RoutingRows(clients.dynamodb, sources.table_names, time.time)
            found.append(_Reading("routing tables", _TABLE_SECONDS, tables.read, self._take_tables))
        for gateway in sources.gateways:
            reader = GatewayReader(gateway)
            found.append(_Reading(gateway.name, _GATEWAY_SECONDS, reader.read, self._take_gateway))
        for name, function in sources.functions.items():
            log = FunctionLog(clients.functions, clients.logs, function, name)
            read = functools.partial(_read_function, log)
            found.append(_Reading(f"log of {name}", _FUNCTION_SECONDS, read, self._take_function))
        if sources.queues:
            count = functools.partial(counts.read_queues, clients.sqs, sources.queues)
            found.append(_Reading("queues", _QUEUE_SECONDS, count, functools.partial(self._model.replace, Queue)))
        if sources.platform_url is not None:
            ask = functools.partial(counts.read_capacities, sources.platform_url)
            found.append(
                _Reading("call platform", _PLATFORM_SECONDS, ask, functools.partial(self._model.replace, Capacity))
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
            self._happenings.take(log.name, line, log.group)


def _read_function(log: FunctionLog) -> tuple[FunctionLog, list[LogLine]]:
    return log, log.read(milliseconds())


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
