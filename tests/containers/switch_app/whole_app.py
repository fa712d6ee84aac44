"""The app with all of its parts and the delivery of its records, between stand-ins for those that it talks to."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import boto3

from switch_app.application import Application, MediaServer
from switch_app.aws_clients import AwsClients
from switch_app.settings import Settings
from switch_app.telephony import CallHandler
from tests.fakes.call_platform import CallPlatform
from tests.fakes.customer_server import CustomerServer
from tests.fakes.ecs_agent import EcsAgent
from tests.support.call_data_records import delivered

BUCKET = "raw-recordings.example"
HOST = "10.10.1.13"
_AUTHORIZATION = {"Authorization": aiohttp.encode_basic_auth("adhearsion", "password")}
PARAMETER = "somleng.test.services_password"


@dataclass
class WholeApp:
    """An app that runs, and who it talks to."""

    application: Application
    platform: CallPlatform
    customer: CustomerServer
    agent: EcsAgent
    http: aiohttp.ClientSession

    @property
    def url(self) -> str:
        """Of its HTTP API; `http` has the credentials."""
        return f"http://127.0.0.1:{self.application.port}"

    async def request(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Ask it something as the platform does, and return status and answer."""
        async with self.http.request(method, self.url + path, json=body) as response:
            is_json = response.content_type == "application/json"
            return response.status, await response.json() if is_json else None

    async def until(self, condition: Callable[[], object], seconds: float = 10.0) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)

    def kinds(self, channel: str) -> list[str]:
        """Return what the platform was told of a call."""
        return [event["type"] for event in self.platform.call_events if event["phone_call"] == channel]


@contextlib.asynccontextmanager
async def running_app(
    directory: Path, media_server_for: Callable[[CallHandler], MediaServer], **changes: str
) -> AsyncIterator[WholeApp]:
    """Run an app in an emulated AWS account (the fixture `aws`).

    Args:
        directory: where it keeps its files.
        media_server_for: makes the media server.
        changes: of its environment.

    """
    boto3.client("ssm").put_parameter(Name=PARAMETER, Value="services-password", Type="SecureString")
    region: Any = {"LocationConstraint": "ap-southeast-1"}
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=region)
    with CallPlatform("services", "services-password") as platform, CustomerServer() as customer:
        async with EcsAgent() as agent, aiohttp.ClientSession(headers=_AUTHORIZATION) as http:
            settings = Settings.from_environment(
                {
                    "AHN_CORE_HTTP_PORT": str(free_port()),
                    "AHN_HTTP_PASSWORD": "password",
                    "AWS_DEFAULT_REGION": "ap-southeast-1",
                    "CALL_PLATFORM_HOST": platform.url,
                    "CALL_PLATFORM_PASSWORD_PARAMETER": PARAMETER,
                    "ECS_AGENT_URI": agent.uri,
                    "FS_CACHE_DIRECTORY": str(directory / "cache"),
                    "FS_EVENT_SOCKET_PASSWORD": "event-socket-password",
                    "FS_RECORDINGS_BUCKET_NAME": BUCKET,
                    "FS_STORAGE_DIRECTORY": str(directory / "storage"),
                    "HOST_ADDRESS": HOST,
                    "PRIVATE_NETWORKS_ALLOWED": "127.0.0.0/8",
                    "REGION": "hydrogen",
                    "SERVICES_FUNCTION_ARN": "arn:aws:lambda:ap-southeast-1:123456789012:function:services",
                    **changes,
                }
            )
            application = Application(settings, AwsClients.of(settings), media_server_for)
            try:
                await application.start()
                async with delivered(settings.storage.call_data_records, platform):
                    yield WholeApp(application, platform, customer, agent, http)
            finally:
                await application.close()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
