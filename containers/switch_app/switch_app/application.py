"""The app's parts, each made once, and their life."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Final, Protocol

import aiohttp
from aiohttp import web

from switch_app.audio.downloads import AudioDownloads
from switch_app.aws_clients import AwsClients
from switch_app.call_data_records.recovery import recover
from switch_app.call_data_records.unrecorded import UnrecordedCalls
from switch_app.call_platform.api import Api
from switch_app.call_platform.client import PlatformClient
from switch_app.call_platform.notifier import Notifier
from switch_app.call_platform.password import ParameterPassword
from switch_app.call_platform.platform import CallPlatform
from switch_app.call_properties import CallProperties
from switch_app.calls.call_control import CallControl
from switch_app.calls.calls import Calls
from switch_app.calls.incoming import Incoming
from switch_app.calls.live_calls import LiveCalls
from switch_app.calls.originations import Originations
from switch_app.client_gateways import ClientGateways
from switch_app.documents import CustomerDocuments
from switch_app.file_cache import FileCache
from switch_app.http.public_client import PublicClient
from switch_app.http_api.call_resources import CallResources
from switch_app.http_api.health_checks import HealthChecks
from switch_app.http_api.server import make_http_api, serve
from switch_app.life_cycle import LifeCycle
from switch_app.media_streams.call_streams import CallStreams
from switch_app.media_streams.conversation import StreamLimits
from switch_app.media_streams.web_sockets import PublicWebSockets
from switch_app.metrics import GAUGES, Metrics
from switch_app.prompts import VoicesAndAudio
from switch_app.recordings.bucket import RecordingsBucket
from switch_app.recordings.spool import RecordingSpool
from switch_app.routes import PlatformRoutes
from switch_app.services import Services
from switch_app.settings import Settings
from switch_app.task_protection import EcsAgent, TaskProtection
from switch_app.telephony import CallHandler, Telephony
from switch_app.voices.polly import Polly
from switch_app.voices.polly_voices import PollyVoices

logger = logging.getLogger(__name__)

_CACHE_BYTES: Final = 2 * 1024**3


class MediaServer(Telephony, Protocol):
    """A media server that is begun and let go of."""

    async def start(self) -> None:
        """Begin; calls come from now on."""
        ...

    async def close(self) -> None:
        """Let go of it."""
        ...


class Application:
    """Everything. It is made where an event loop runs.

    Args:
        settings: what the environment says.
        aws: clients.
        media_server_for: makes the media server that hands its calls to a handler.

    """

    def __init__(
        self, settings: Settings, aws: AwsClients, media_server_for: Callable[[CallHandler], MediaServer]
    ) -> None:
        self._settings = settings
        storage = settings.storage
        self.live_calls = LiveCalls()
        self._tasks: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None

        # the platform
        platform = settings.platform
        self._api = Api(platform.url, platform.username, ParameterPassword(aws.ssm, platform.password_parameter))
        self._metrics = Metrics(settings.service, self._gauges(), settings.metrics_seconds)
        client = PlatformClient(self._api)
        self._notifier = Notifier(count=self._metrics.count)
        self._platform = CallPlatform(client, self._notifier)
        self._records = UnrecordedCalls(storage.call_data_records, count=self._metrics.count)
        bucket = RecordingsBucket(aws.s3, storage.bucket, storage.bucket_region)
        self._recordings = RecordingSpool(storage.recordings, bucket, client, count=self._metrics.count)

        # what callers hear
        self._customers = PublicClient(settings.private_networks)
        self._cache = FileCache(storage.cache, _CACHE_BYTES)
        self._voices = PollyVoices(aws.polly)
        self._polly = Polly(aws.polly, self._cache)
        self._downloads = AudioDownloads(self._customers, self._cache)
        self._prompts = VoicesAndAudio(self._voices, self._polly, self._downloads)

        # whom calls are streamed to
        self._stream_limits = StreamLimits(playback_seconds=settings.media_streams.buffer_seconds)
        self._web_sockets = PublicWebSockets(settings.private_networks, settings.media_streams.subprotocol)

        # calls
        self._gateways = ClientGateways(aws.functions, settings.services_function)
        self._routes = PlatformRoutes(self._gateways)
        incoming = Incoming(self._platform, self._records, settings.host, settings.region)
        calls = Calls(self.live_calls, incoming, self._platform, self._records, self._services_for)
        self._media_server = media_server_for(calls)
        originations = Originations(
            self._media_server,
            self._routes,
            self._platform,
            self._records,
            self.live_calls,
            calls,
            settings.ring_seconds,
        )

        # its life
        self.life_cycle = LifeCycle(self.live_calls, self._media_server, settings.drain_seconds)
        self._agent_session = aiohttp.ClientSession(trust_env=False)
        self._agent = EcsAgent(settings.agent_uri, self._agent_session) if settings.agent_uri else None

        # the HTTP API
        control = CallControl(self.live_calls, self._media_server)
        resources = CallResources(originations, control, settings.host, lambda: self.life_cycle.is_draining)
        checks = {"app": _be_there, "freeswitch": self._media_server.check, "life_cycle": self.life_cycle.check}
        self._http_api = make_http_api(settings.http.username, settings.http.password, resources, HealthChecks(checks))

    async def start(self) -> None:
        """Begin: what an earlier process left is gone on with, and calls are taken.

        Raises:
            OSError: when a port is taken, or a directory cannot be written to.

        """
        # Before everything else: the health check must be answered while FreeSWITCH is waited for.
        self._runner = await serve(self._http_api, self._settings.http.address, self._settings.http.port)
        self._notifier.start()
        await self._recordings.start()
        await self._cache.start()
        await self._voices.start()
        self._run(self._metrics.run())
        if self._agent is not None:
            self._run(TaskProtection(self._agent, self.live_calls).run())
        left = await asyncio.to_thread(self._records.left)
        await self._media_server.start()
        self._run(recover(left, self._media_server, self._records))
        logger.info("started", extra={"host": self._settings.host, "region": self._settings.region})

    async def close(self) -> None:
        """End: what the platform and the bucket have not got yet is sent as far as there is time."""
        await self._media_server.close()
        if self._runner is not None:
            await self._runner.cleanup()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        seconds = self._settings.flush_seconds
        await asyncio.gather(self._recordings.close(seconds), self._records.close(), self._notifier.close(seconds))
        self._metrics.write()
        await self._downloads.close()
        await self._polly.close()
        await self._voices.close()
        await self._cache.close()
        await self._gateways.close()
        await self._web_sockets.close()
        await self._customers.close()
        await self._agent_session.close()
        await self._api.close()

    @property
    def port(self) -> int:
        """Where the HTTP API is, once it is begun."""
        assert self._runner is not None  # noqa: S101
        return int(self._runner.addresses[0][1])

    def _services_for(self, properties: CallProperties) -> Services:
        documents = CustomerDocuments(self._customers, properties.account_auth_token)
        return Services(
            documents=documents,
            platform=self._platform,
            prompts=self._prompts,
            recordings=self._recordings,
            routes=self._routes,
            call_data_records=self._records,
            media_streams=CallStreams(
                properties,
                self._platform,
                documents,
                self._web_sockets,
                self._stream_limits,
                insecure=self._settings.media_streams.insecure_urls,
                count=self._metrics.count,
            ),
        )

    def _gauges(self) -> dict[str, Callable[[], float]]:
        return dict(zip(GAUGES, (lambda: len(self.live_calls), lambda: len(self._notifier)), strict=True))

    def _run(self, work: Coroutine[None, None, None]) -> None:
        self._tasks.add(asyncio.create_task(work))


async def _be_there() -> None:
    """Answer: the app does."""
