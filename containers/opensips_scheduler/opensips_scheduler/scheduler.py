"""The sidecar's parts, put together, and their life."""

import logging
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opensips_scheduler import schema
from opensips_scheduler.contacts import Contacts, restore
from opensips_scheduler.errors import ManagementError, Unreachable, UnusableRow
from opensips_scheduler.follower import Follower
from opensips_scheduler.health import HealthServer
from opensips_scheduler.management_interface import ManagementInterface
from opensips_scheduler.media_proxies import MediaProxies, own_set, ping
from opensips_scheduler.routing_database import RoutingDatabase
from opensips_scheduler.rows import RowBuilder
from opensips_scheduler.settings import TABLES, Kind, ScheduledCommand, Settings
from opensips_scheduler.worker import Worker
from routing import MediaProxy, RegistrationReader, RegistrationWriter, RoutingReader, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

logger = logging.getLogger(__name__)

STALE_AFTER_SECONDS: Final = 60.0
"""Data older than this is reported as stale. The gateway goes on with it, so it does not make the sidecar unhealthy:
replacing the task would end calls and lose the last good copy."""

_PING_SECONDS: Final = 0.4
_PROXY_INTERVAL: Final = 0.5
_CONTACT_INTERVAL: Final = 0.5
_JOIN_SECONDS: Final = 5.0


class Scheduler:
    """The sidecar of one gateway.

    Args:
        settings: the environment.
        dynamodb: a low-level DynamoDB client with short time limits; several threads use it.

    """

    def __init__(self, settings: Settings, dynamodb: "DynamoDBClient") -> None:
        self._settings, self._dynamodb = settings, dynamodb
        self._directory = settings.state_directory
        self._stopping = threading.Event()
        self._ready = self._directory / "ready"
        self._reader = RoutingReader(dynamodb, settings.tables)
        self._workers: list[Worker] = []
        self._health = HealthServer(settings.health_port, self.report)
        self._compared_at: float | None = None
        self._up_since: str | None = None
        self._opensips_error: str | None = None
        self._proxies_loaded = False
        self._proxies_position: int | None = None
        self._ready.unlink(missing_ok=True)
        self._set_aside_corrupt_files()
        self._database = RoutingDatabase(self._directory / "routing.db", RowBuilder(settings.event_socket_password))
        commands = self._management("follower")
        self._follower = Follower(self._reader, self._database, commands, TABLES[settings.kind])
        self._commands = commands
        self._proxies = MediaProxies(self._directory / "routing.db", lambda sockets: ping(sockets, _PING_SECONDS))
        self._contacts: Contacts | None = None

    @property
    def health_port(self) -> int:
        """Where `GET /health` is answered."""
        return self._health.port

    def start(self) -> None:
        """Begin every part; return at once."""
        self._health.start()
        workers = [Worker("journal", self._follow, self._settings.poll_interval, self._stopping)]
        if self._settings.kind is Kind.CLIENT:
            workers.append(Worker("media proxy table", self._list_proxies, _PROXY_INTERVAL, self._stopping))
            workers.append(Worker("media proxies", self._check_proxies, _PROXY_INTERVAL, self._stopping))
            workers.append(Worker("contacts", self._send_contacts, _CONTACT_INTERVAL, self._stopping))
        workers += [self._scheduled(number, each) for number, each in enumerate(self._settings.commands)]
        self._workers = workers
        for worker in workers:
            worker.start()

    def stop(self) -> None:
        """End every part; what is under way is finished, within a bound."""
        self._stopping.set()
        for worker in self._workers:
            if not worker.join(_JOIN_SECONDS):
                logger.error("worker does not end", extra={"worker": worker.name})
        self._health.stop()

    def report(self) -> dict[str, Any]:
        """Return what `GET /health` says."""
        progress = self._follower.progress
        age = None if progress.read_at is None else round(time.monotonic() - progress.read_at, 3)
        errors = {worker.name: worker.condition.error for worker in self._workers if worker.condition.error}
        if self._opensips_error is not None:
            errors["opensips"] = self._opensips_error
        return {
            "healthy": self._ready.exists(),
            "age_seconds": age,
            "stale": age is None or age > STALE_AFTER_SECONDS,
            "journal_lag": progress.behind,
            "rows": {table.value: count for table, count in progress.rows.items()},
            "skipped": [f"{table.value} {key}: {reason}" for (table, key), reason in progress.skipped.items()],
            "reloads_due": list(self._follower.reloads_due),
            "reload_seconds": progress.reload_seconds,
            "media_proxies": sorted(self._proxies.usable()) if self._settings.kind is Kind.CLIENT else [],
            "errors": errors,
        }

    # --- the workers' steps

    def _follow(self) -> None:
        now = time.monotonic()
        if self._compared_at is None and self._database.position(Table.LOAD_BALANCER_TARGETS) is not None:
            # The last good copy serves until AWS answers.
            self._become_ready()
        if self._compared_at is None or now - self._compared_at > self._settings.comparison_interval:
            self._follower.compare()
            self._compared_at = now
        self._follower.follow()
        self._become_ready()
        try:
            self._notice_restart()
            self._follower.reload()
        except (ManagementError, Unreachable) as error:
            # Reloads stay due and are tried at the next look; the journal is followed meanwhile.
            self._opensips_error = str(error)
        else:
            self._opensips_error = None

    def _become_ready(self) -> None:
        if self._ready.exists():
            return
        if self._settings.kind is Kind.CLIENT:
            path, reader = self._directory / "gateway.db", RegistrationReader(self._dynamodb, self._settings.tables)
            restored = restore(path, reader, self._settings.gateway, self._settings.socket)
            logger.info("contacts restored", extra={"contacts": restored})
        else:
            schema.create_gateway_database(self._directory / "gateway.db")
        self._ready.touch()

    def _notice_restart(self) -> None:
        """Have every reload due when OpenSIPS was started anew: what it read then may be older than the file is now."""
        answer = self._commands.call("uptime")
        up_since = str(answer.get("Up since")) if isinstance(answer, dict) else ""
        if up_since != self._up_since:
            if self._up_since is not None:
                self._follower.reload_everything()
                self._proxies_loaded = False
            self._up_since = up_since

    def _check_proxies(self) -> None:
        if self._proxies.check():
            self._proxies_loaded = False
        if self._proxies_loaded:
            return
        commands = self._management("proxies")
        # A soft reload leaves the proxies in use alone, but it crashes OpenSIPS 3.6.8 as long as it knows none.
        known = commands.call("rtpengine_show")
        soft = {"type": "soft"} if known else None
        commands.call("rtpengine_reload", soft)
        self._proxies_loaded = True

    def _list_proxies(self) -> None:
        position = self._reader.position(Table.MEDIA_PROXIES)
        if position == self._proxies_position:
            return
        listed = {}
        for socket, record in self._reader.snapshot(Table.MEDIA_PROXIES).records.items():
            try:
                own_set(socket)
            except UnusableRow as error:
                self._follower.progress.skipped[Table.MEDIA_PROXIES, socket] = str(error)
                continue
            if isinstance(record, MediaProxy):
                listed[socket] = record
        self._proxies.listed, self._proxies_position = listed, position

    def _send_contacts(self) -> None:
        if not self._ready.exists():
            return
        if self._contacts is None:
            writer = RegistrationWriter(self._dynamodb, self._settings.tables)
            self._contacts = Contacts(self._directory / "gateway.db", self._settings.gateway, writer)
        while self._contacts.send() and not self._stopping.is_set():
            pass

    def _scheduled(self, number: int, command: ScheduledCommand) -> Worker:
        commands = self._management(f"scheduled-{number}")
        return Worker(
            f"command {command.method}",
            lambda: commands.call(command.method, command.parameters),
            command.interval,
            self._stopping,
        )

    # --- what they share

    def _management(self, name: str) -> ManagementInterface:
        return ManagementInterface(self._directory / "mi.sock", self._directory / f"mi-{name}.sock")

    def _set_aside_corrupt_files(self) -> None:
        """Move corrupt files out of the way; an OpenSIPS that has one open must start anew to see the new one."""
        corrupt = [path for name in ("routing.db", "gateway.db") if schema.is_corrupt(path := self._directory / name)]
        for path in corrupt:
            logger.error("file is corrupt and is made anew", extra={"path": str(path)})
            for part in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
                if part.exists():
                    part.replace(f"{part}.corrupt")
        if corrupt:
            try:
                self._management("kill").call("kill")
            except (ManagementError, Unreachable) as error:
                logger.info("OpenSIPS is not running", extra={"reason": str(error)})
