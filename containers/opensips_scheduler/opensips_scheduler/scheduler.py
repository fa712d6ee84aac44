"""The sidecar's parts, put together, and their life."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from opensips_scheduler import schema
from opensips_scheduler.contacts import Contacts, restore
from opensips_scheduler.errors import ManagementError, Unreachable
from opensips_scheduler.event_sockets import EventSockets, ask
from opensips_scheduler.file_watch import DamageWatch
from opensips_scheduler.follower import Follower
from opensips_scheduler.health import HealthServer
from opensips_scheduler.loaded_rows import LOADED
from opensips_scheduler.media_proxies import MediaProxies, ping
from opensips_scheduler.media_proxy_loader import MediaProxyLoader, ProxyCommands
from opensips_scheduler.metrics import GatewayMetrics
from opensips_scheduler.opensips_end import end_opensips
from opensips_scheduler.opensips_statistics import RefusedCalls
from opensips_scheduler.read_back import ReadBack
from opensips_scheduler.reloads import Reloads
from opensips_scheduler.routing_database import RoutingDatabase
from opensips_scheduler.rows import SQL_TABLES, RowBuilder
from opensips_scheduler.settings import TABLES, Kind, ScheduledCommand, Settings
from opensips_scheduler.state import State
from opensips_scheduler.state_directory import StateDirectory
from opensips_scheduler.worker import Worker
from routing import RegistrationReader, RegistrationWriter, RoutingReader, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

logger = logging.getLogger(__name__)

_PING_SECONDS: Final = 0.4
_PROXY_INTERVAL: Final = 0.5
_CONTACT_INTERVAL: Final = 0.5
_EVENT_SOCKET_SECONDS: Final = 0.9
"""A switch in another region greets after two times the way there and back."""
_EVENT_SOCKET_INTERVAL: Final = 1.0
_READ_BACK_INTERVAL: Final = 2.0
_FILE_INTERVAL: Final = 1.0
_JOIN_SECONDS: Final = 5.0


class Scheduler:
    """The sidecar of one gateway, until a file is found damaged: another one is to take over then.

    Args:
        settings: the environment.
        dynamodb: a low-level DynamoDB client with short time limits; several threads use it.

    """

    def __init__(self, settings: Settings, dynamodb: "DynamoDBClient") -> None:
        self._settings, self._dynamodb = settings, dynamodb
        self.damaged = threading.Event()
        self._stopping = threading.Event()
        self._files = StateDirectory(settings.state_directory)
        self._files.ready.unlink(missing_ok=True)
        # An OpenSIPS that has another file open than the one that is made now must start anew.
        self._opensips_must_end = self._files.set_aside_damaged()
        self._damage = DamageWatch(self._met_damage)
        self._compared_at: float | None = None
        self._opensips_error: str | None = None
        self._metrics = GatewayMetrics(settings.kind, settings.gateway, settings.service)
        self._commands = self._files.management("follower")
        self._reader = RoutingReader(dynamodb, settings.tables)

        schema.create_routing_database(self._files.routing_database)
        self._event_sockets = EventSockets(self._files.routing_database, lambda each: ask(each, _EVENT_SOCKET_SECONDS))
        self._rows = RowBuilder(settings.event_socket_password, self._event_sockets.answers)
        self._database = RoutingDatabase(self._files.routing_database, self._rows)
        tables = TABLES[settings.kind]
        self._reloads = Reloads(self._commands, (command for t in tables if (command := SQL_TABLES[t].reload)))
        self._follower = Follower(
            self._reader,
            self._database,
            self._reloads,
            tables,
            on_skip=lambda row: self._metrics.row_skipped(row.table),
        )
        self._contacts: Contacts | None = None
        read_back = {table: self._reloads for table in tables if table in LOADED}

        self._proxies: MediaProxies | None = None
        self._proxy_loader: MediaProxyLoader | None = None
        if settings.kind is Kind.CLIENT:
            self._proxies = MediaProxies(self._files.routing_database, lambda sockets: ping(sockets, _PING_SECONDS))
            reloads = Reloads(ProxyCommands(self._files.management("proxies")), ("rtpengine_reload",))
            self._proxy_loader = MediaProxyLoader(
                self._reader,
                self._proxies,
                reloads,
                self._follower.progress,
                lambda row: self._metrics.row_skipped(row.table),
            )
            read_back[Table.MEDIA_PROXIES] = reloads
        self._read_back = ReadBack(
            self._files.routing_database,
            self._files.management_pipe("back"),
            read_back,
            settings.comparison_interval,
            on_dropped=lambda table, _: self._metrics.row_dropped(table),
        )
        self._refused = RefusedCalls(self._files.management("statistics"), settings.kind)
        self._workers: list[Worker] = self._make_workers()
        self._health = HealthServer(settings.health_port, self.report)

    @property
    def health_port(self) -> int:
        """Where `GET /health` is answered."""
        return self._health.port

    def start(self) -> None:
        """Begin every part; return at once."""
        self._health.start()
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """End every part; what is under way is finished, within a bound. Damaged files are set aside."""
        self._stopping.set()
        deadline = time.monotonic() + _JOIN_SECONDS
        late = [worker for worker in self._workers if not worker.join(max(deadline - time.monotonic(), 0.0))]
        for worker in late:
            logger.error("worker does not end", extra={"worker": worker.name})
        self._health.stop()
        if not late:
            self._database.close()
            if self._contacts is not None:
                if not self.damaged.is_set():
                    self._send_last_contacts(self._contacts)
                self._contacts.close()
        self._damage.set_aside()

    def report(self) -> dict[str, Any]:
        """Return what `GET /health` says."""
        return self._state().report()

    def _state(self) -> State:
        errors = {worker.name: error for worker in self._workers if (error := worker.condition.error)}
        if self._opensips_error is not None:
            errors["opensips"] = self._opensips_error
        progress = self._follower.progress
        return State(
            ready=self._files.ready.exists(),
            age=None if progress.read_at is None else time.monotonic() - progress.read_at,
            journal_lag=progress.behind,
            positions=dict(progress.positions),
            rows=dict(progress.rows),
            skipped=dict(progress.skipped),
            former_targets=progress.former_targets,
            dropped=dict(self._read_back.dropped),
            reloads_due=self._reloads.due,
            reload_seconds=dict(self._reloads.seconds),
            contacts_waiting=None if self._contacts is None else self._contacts.waiting,
            media_proxies=None if self._proxies is None else self._proxies.usable(),
            silent_event_sockets=self._event_sockets.silent,
            errors=errors,
        )

    # --- the workers' steps

    def _make_workers(self) -> list[Worker]:
        made: list[tuple[str, Callable[[], object], float]] = [
            ("journal", self._follow, self._settings.poll_interval),
            ("reloads", self._reload, 0.0),
            ("files", self._watch_files, _FILE_INTERVAL),
            ("event sockets", self._check_event_sockets, _EVENT_SOCKET_INTERVAL),
            ("read back", self._read_back.step, _READ_BACK_INTERVAL),
            ("metrics", self._publish, self._settings.metrics_interval),
        ]
        if self._proxy_loader is not None:
            made += [
                ("media proxy table", self._proxy_loader.read_table, _PROXY_INTERVAL),
                ("media proxies", self._proxy_loader.check, _PROXY_INTERVAL),
                ("contacts", self._send_contacts, _CONTACT_INTERVAL),
            ]
        made += [
            (f"command {command.method}", self._scheduled(number, command), command.interval)
            for number, command in enumerate(self._settings.commands)
        ]
        return [Worker(name, step, interval, self._stopping) for name, step, interval in made]

    def _follow(self) -> None:
        if self._opensips_must_end:
            self._end_opensips()
        now = time.monotonic()
        if self._compared_at is None and self._database.position(Table.LOAD_BALANCER_TARGETS) is not None:
            # The last good copy serves until AWS answers.
            self._become_ready()
        if self._compared_at is None or now - self._compared_at > self._settings.comparison_interval:
            self._follower.compare()
            self._compared_at = now
        self._follower.follow()
        self._become_ready()

    def _reload(self) -> None:
        """Run what became due; where OpenSIPS does not answer, try again at the next look."""
        self._reloads.wait(self._settings.poll_interval)
        try:
            self._reloads.notice_restart()
            self._reloads.run()
        except (ManagementError, Unreachable) as error:
            self._opensips_error = str(error)
            self._stopping.wait(self._settings.poll_interval)
        else:
            self._opensips_error = None

    def _check_event_sockets(self) -> None:
        if self._event_sockets.check(self._rows.resources):
            self._reloads.require("lb_reload")

    def _become_ready(self) -> None:
        if self._files.ready.exists() or self._stopping.is_set():
            return
        path = self._files.gateway_database
        if self._settings.kind is Kind.CLIENT:
            reader = RegistrationReader(self._dynamodb, self._settings.tables)
            restored = restore(path, reader, self._settings.gateway, self._settings.socket)
            logger.info("contacts restored", extra={"contacts": restored})
        else:
            schema.create_gateway_database(path)
        self._damage.watch((self._files.routing_database, path))
        self._files.ready.touch()

    def _end_opensips(self) -> None:
        """Tell OpenSIPS to end, so that its supervisor starts it with the new files.

        Raises:
            Unreachable: when OpenSIPS runs and does not answer; until it does, or is gone, no new file is served.

        """
        end_opensips(self._files.management("end", seconds=1.0), wait=self._stopping.wait)
        self._opensips_must_end = False

    def _watch_files(self) -> None:
        if self._damage.look():
            self.damaged.set()

    def _met_damage(self) -> bool:
        return any(worker.condition.error_type is sqlite3.DatabaseError for worker in self._workers)

    def _send_contacts(self) -> None:
        if not self._files.ready.exists():
            return
        if self._contacts is None:
            writer = RegistrationWriter(self._dynamodb, self._settings.tables)
            self._contacts = Contacts(self._files.gateway_database, self._settings.gateway, writer)
        while self._contacts.send() and not self._stopping.is_set():
            pass

    def _send_last_contacts(self, contacts: Contacts) -> None:
        """Write what changed since the last time: the file may end with this task."""
        try:
            while contacts.send():
                pass
        except Exception:
            logger.exception("contacts are left in the file", extra={"contacts": contacts.waiting})

    def _publish(self) -> None:
        for values, dimensions in self._state().metrics():
            self._metrics.publish(values, **dimensions)
        if self._opensips_error is None and self._files.ready.exists():
            self._metrics.publish(self._refused.take())

    def _scheduled(self, number: int, command: ScheduledCommand) -> Callable[[], object]:
        commands = self._files.management(f"scheduled-{number}")
        return lambda: commands.call(command.method, command.parameters)
