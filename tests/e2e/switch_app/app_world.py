"""The whole app beside a real FreeSWITCH, with stand-ins for the platform, a customer and AWS."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import boto3

from switch_app.application import Application
from switch_app.aws_clients import AwsClients
from switch_app.freeswitch.event_socket import EventSocketAddress
from switch_app.freeswitch.telephony import FreeSwitch, FreeSwitchSettings
from switch_app.settings import Settings
from switch_app.telephony import CallHandler
from tests.containers.switch_app.switch import CALL
from tests.containers.switch_app.whole_app import BUCKET, PARAMETER, free_port
from tests.fakes.call_platform import CallPlatform
from tests.fakes.customer_server import CustomerServer, twiml
from tests.support import freeswitch
from tests.support.call_data_records import delivered
from tests.support.freeswitch import FreeSwitchProcess
from tests.support.phone import Phone, PhoneCall

AUTH = {"Authorization": aiohttp.encode_basic_auth("adhearsion", "password")}
ADDRESS = "10.10.1.13"
"""Where the platform is told that the app is."""
HANDOVER_PORT = 8084


@dataclass
class World:
    application: Application
    platform: CallPlatform
    customer: CustomerServer
    switch: str
    caller: Phone
    callee: Phone

    async def until(self, condition: Any, seconds: float = 5.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.02)

    async def call(self, verbs: str, number: str = "1294") -> PhoneCall:
        """Call a number whose document has some verbs."""
        self.platform.numbers[number] = {"voice_url": self.customer.reply(f"/{number}", twiml(verbs))}
        headers = {
            "X-Src-Ip": "192.0.2.10",
            "X-Somleng-Caller-Identity": "+85512234567",
            "X-Somleng-Callee-Identity": number,
        }
        return await self.caller.call(self.switch, number, headers)

    async def make_call(self, verbs: str) -> tuple[str, PhoneCall]:
        """Have the app call the callee, who answers, with some verbs; return the call's id and the callee's side."""
        sid = str(uuid.uuid4())
        body = {
            **CALL,
            "sid": sid,
            "voice_url": self.customer.reply("/first", twiml(verbs)),
            "routing_parameters": {**CALL["routing_parameters"], "host": self.callee.address},
        }
        call = self.platform.add_call(sid)
        answer = await self.request("POST", "/calls", body)
        call.external_id = answer["id"]
        callee = await self.callee.next_call()
        callee.ring()
        await callee.answer()
        await self.until(lambda: "/first" in self.customer.paths())
        return answer["id"], callee

    async def request(self, method: str, path: str, body: Any) -> Any:
        url = f"http://127.0.0.1:{self.application.port}{path}"
        async with aiohttp.ClientSession(headers=AUTH) as http, http.request(method, url, json=body) as response:
            assert response.status in (200, 204), await response.text()
            return await response.json() if response.status == 200 else None

    def records(self, sid: str) -> list[dict[str, Any]]:
        """Return the records that the platform got of a call."""
        variables = [record["variables"] for record in self.platform.call_data_records]
        names = ("sip_h_X-Somleng-CallSid", "sip_rh_X-Somleng-CallSid")
        return [each for each in variables if sid in [each.get(name) for name in names]]

    async def record(self, sid: str) -> dict[str, Any]:
        """Wait for the one record of a call."""
        await self.until(lambda: self.records(sid))
        (record,) = self.records(sid)
        return record

    def form(self, path: str) -> dict[str, str]:
        """Return what was sent with the last request for a path."""
        return dict([request for request in self.customer.requests if request.path == path][-1].form)


@asynccontextmanager
async def app_world(process: FreeSwitchProcess, caller: Phone, callee: Phone, directory: Path) -> AsyncIterator[World]:
    """Run the app with a FreeSWITCH, an emulated AWS account, a platform and a customer's server."""
    boto3.client("ssm").put_parameter(Name=PARAMETER, Value="services-password", Type="SecureString")
    region: Any = {"LocationConstraint": "ap-southeast-1"}
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=region)
    recordings = process.directory / f"recordings-{uuid.uuid4().hex[:8]}"
    with CallPlatform("services", "services-password") as platform, CustomerServer() as customer:
        settings = Settings.from_environment(
            {
                "AHN_HTTP_PASSWORD": "password",
                "AWS_DEFAULT_REGION": "ap-southeast-1",
                "CALL_PLATFORM_HOST": platform.url,
                "CALL_PLATFORM_PASSWORD_PARAMETER": PARAMETER,
                "CALL_DATA_RECORDS_DIRECTORY": str(process.records),
                "RECORDINGS_DIRECTORY": str(recordings),
                "FS_CACHE_DIRECTORY": str(directory / "cache"),
                "FS_EVENT_SOCKET_PASSWORD": "not used here",
                "FS_RECORDINGS_BUCKET_NAME": BUCKET,
                "FS_STORAGE_DIRECTORY": str(directory / "storage"),
                "HOST_ADDRESS": ADDRESS,
                "MEDIA_STREAMS_INSECURE": "true",
                "PRIVATE_NETWORKS_ALLOWED": "127.0.0.0/8",
                "REGION": "hydrogen",
                "SERVICES_FUNCTION_ARN": "arn:aws:lambda:ap-southeast-1:123456789012:function:services",
                "AHN_CORE_HTTP_PORT": str(free_port()),
            }
        )
        made: list[FreeSwitch] = []

        def free_switch(handler: CallHandler) -> FreeSwitch:
            made.append(FreeSwitch(settings_of(process), handler))
            return made[0]

        application = Application(settings, AwsClients.of(settings), free_switch)
        await application.start()
        try:
            async with asyncio.timeout(10):
                await made[0].wait_until_ready()
            async with delivered(process.records, platform):
                yield World(application, platform, customer, process.address, caller, callee)
        finally:
            await application.close()


def settings_of(process: FreeSwitchProcess, **changes: Any) -> FreeSwitchSettings:
    """Return what the app needs to meet a FreeSWITCH."""
    address = EventSocketAddress(process.address, 8021, freeswitch.PASSWORD)
    return FreeSwitchSettings(address, (process.address, HANDOVER_PORT), pipes=process.directory / "pipes", **changes)
