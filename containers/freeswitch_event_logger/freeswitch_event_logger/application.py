"""The sidecar's parts, each made once, and their life."""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Any, Final

from freeswitch_event_logger.call_data_records import CallDataRecords
from freeswitch_event_logger.call_heartbeats import CallHeartbeats
from freeswitch_event_logger.channels import COMMAND, channel_uuids
from freeswitch_event_logger.draining import drain
from freeswitch_event_logger.event_log import HEARTBEAT, EventLog
from freeswitch_event_logger.health import HealthServer
from freeswitch_event_logger.log_stream import LogStream
from freeswitch_event_logger.metrics import Metrics
from freeswitch_event_logger.settings import Settings
from switch_app.call_platform.api import Api
from switch_app.call_platform.client import PlatformClient
from switch_app.call_platform.password import ParameterPassword
from switch_app.errors import MediaServerError
from switch_app.freeswitch.event_socket import EventSocket

logger = logging.getLogger(__name__)

_ATTEMPTS: Final = 2
"""Of a request, the second for a password that was changed; further ones are the business of what waits."""

_API_SECONDS: Final = 10.0
_SILENCE_SECONDS: Final = 60.0
"""Without any event until the connection counts as dead. FreeSWITCH's own heartbeat comes every 20 at the least."""

_WATCH_SECONDS: Final = 5.0


class Application:
    """Everything. It is made where an event loop runs.

    Args:
        settings: what the environment says.
        ssm: a boto3 client.
        stream: where logs and metrics go.

    Raises:
        OSError: when the directory of records cannot be written to.

    """

    def __init__(self, settings: Settings, ssm: Any, stream: LogStream) -> None:
        self._settings, self._stream = settings, stream
        self._tasks: list[asyncio.Task[None]] = []
        self._clock = asyncio.get_running_loop().time
        self._metrics = Metrics(settings.service, stream)

        # FreeSWITCH
        self._log = EventLog(self._metrics, settings.session_seconds, self._clock)
        events = " ".join((HEARTBEAT, *settings.events))
        self._event_socket = EventSocket(
            settings.event_socket, self._log.take, self._connected, self._lost, events=events
        )

        # the platform
        password = ParameterPassword(ssm, settings.platform_password_parameter)
        self._api = Api(settings.platform_url, settings.platform_username, password, attempts=_ATTEMPTS)
        client = PlatformClient(self._api)
        count = self._metrics.count
        self.records = CallDataRecords(settings.records, client, count=count)
        self._heartbeats = CallHeartbeats(self._channels, client, settings.heartbeat_seconds, count=count)

        checks = {
            "event_socket": self._event_socket_problem,
            "platform": lambda: self.records.problem,
            "call_heartbeats": lambda: self._heartbeats.problem,
            "call_data_records": self._age_problem,
        }
        self._health = HealthServer(settings.health_port, checks)

    async def start(self) -> None:
        """Begin; FreeSWITCH and the platform need not be there yet.

        Raises:
            OSError: when the port of the health check is taken.

        """
        await self._health.start()
        for work in (
            self._event_socket.run(),
            self._watch(),
            self._heartbeats.run(),
            self.records.run(),
            self._write_metrics(),
        ):
            self._run(work)
        logger.info("started", extra={"service": self._settings.service, "events": self._settings.events})

    async def drain(self, at_once: asyncio.Event) -> bool:
        """Go on until calls are over and their records have left the disk; return whether none is left there."""
        logger.info("draining", extra={"seconds": self._settings.drain_seconds})
        return await drain(self._has_calls, self.records.is_empty, self._settings.drain_seconds, at_once)

    async def close(self) -> None:
        """End. Records that are left wait for the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.records.close()
        await self._api.close()
        await self._health.close()
        self._publish()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    async def failed(self) -> None:
        """Return when a part of it has ended, which none does by itself; raise what ended it."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    # --- FreeSWITCH

    async def _connected(self) -> None:
        self._log.last_event = self._clock()

    def _lost(self) -> None:
        self._log.lose()
        self._metrics.count("EventSocketLost")

    async def _channels(self) -> Sequence[str]:
        try:
            async with asyncio.timeout(_API_SECONDS):
                return channel_uuids(await self._event_socket.api(COMMAND))
        except TimeoutError:
            raise MediaServerError(f"FreeSWITCH does not answer '{COMMAND}'") from None

    def _has_calls(self) -> bool:
        heartbeat = self._log.heartbeat
        return heartbeat is not None and heartbeat.sessions > 0

    async def _watch(self) -> None:
        """Close a connection that nothing comes over any more; a new one is made then."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            if self._event_socket_problem() is None and self._clock() - self._log.last_event > _SILENCE_SECONDS:
                logger.warning("FreeSWITCH is silent", extra={"seconds": _SILENCE_SECONDS})
                self._event_socket.connection.close()

    # --- how things are

    def _event_socket_problem(self) -> str | None:
        try:
            self._event_socket.connection  # noqa: B018 - it raises when there is none
        except MediaServerError as error:
            return str(error)
        return None

    def _age_problem(self) -> str | None:
        age = self.records.age
        if age <= self._settings.records_age_maximum:
            return None
        return f"{self.records.waiting} records wait, the oldest for {age:.0f} seconds"

    async def _write_metrics(self) -> None:
        while True:
            await asyncio.sleep(self._settings.metrics_seconds)
            self._publish()

    def _publish(self) -> None:
        self._metrics.count("LogLinesLost", self._stream.take_dropped())
        self._metrics.publish_counts(
            {
                "CallDataRecordsWaiting": self.records.waiting,
                "CallDataRecordsAge": self.records.age,
                "EventSocketConnected": 1 if self._event_socket_problem() is None else 0,
            }
        )
