"""The app as its image runs it, a process beside FreeSWITCH: killed, and told to stop."""

import asyncio
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from local import servers
from tests.containers.switch_app.whole_app import BUCKET, PARAMETER, free_port
from tests.e2e.switch_app.app_world import ADDRESS, HANDOVER_PORT
from tests.fakes.call_platform import CallPlatform
from tests.fakes.customer_server import CustomerServer, twiml
from tests.support import freeswitch
from tests.support.call_data_records import delivered
from tests.support.freeswitch import FreeSwitchProcess
from tests.support.phone import Phone, PhoneCall

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class AppProcess:
    """The app, and what it needs; its records are delivered beside it."""

    environment: dict[str, str]
    platform: CallPlatform
    customer: CustomerServer
    switch: str
    phone: Phone
    running: list[asyncio.subprocess.Process] = field(default_factory=list)

    async def start(self) -> asyncio.subprocess.Process:
        """Start it and wait until its health check is content."""
        command = [sys.executable, "-m", "switch_app"]
        process = await asyncio.create_subprocess_exec(
            *command, env=self.environment, stdout=asyncio.subprocess.DEVNULL
        )
        self.running.append(process)
        async with asyncio.timeout(15):
            while await self._check() != 0:
                assert process.returncode is None
                await asyncio.sleep(0.1)
        return process

    async def _check(self) -> int:
        command = [sys.executable, "-m", "switch_app.healthcheck"]
        check = await asyncio.create_subprocess_exec(
            *command, env=self.environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        return await check.wait()

    async def call(self, verbs: str = '<Say>Hello</Say><Pause length="600"/>') -> PhoneCall:
        """Call a number whose document has some verbs; by default it speaks and then waits."""
        self.platform.numbers["1294"] = {"voice_url": self.customer.reply("/voice", twiml(verbs))}
        headers = {
            "X-Src-Ip": "192.0.2.10",
            "X-Somleng-Caller-Identity": "+85512234567",
            "X-Somleng-Callee-Identity": "1294",
        }
        return await self.phone.call(self.switch, "1294", headers)

    def records(self, sid: str) -> list[dict[str, Any]]:
        """Return the variables of the records of a call that the platform got."""
        variables = [record["variables"] for record in self.platform.call_data_records]
        names = ("sip_h_X-Somleng-CallSid", "sip_rh_X-Somleng-CallSid")
        return [each for each in variables if sid in [each.get(name) for name in names]]

    async def until(self, condition: Any, seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.05)


@pytest.fixture
async def app(freeswitch_process: FreeSwitchProcess, phone: Phone, tmp_path: Path) -> AsyncIterator[AppProcess]:
    emulator = servers.ecs_emulator(tmp_path, port := free_port())
    emulator.start()
    try:
        await asyncio.to_thread(emulator.wait_until_ready, 30)
        endpoint = f"http://{servers.HOST}:{port}"
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "ap-southeast-1"}
        clients: dict[str, Any] = {
            name: boto3.client(name, endpoint_url=endpoint, **keys)  # type: ignore[call-overload]
            for name in ("ssm", "s3")
        }
        clients["ssm"].put_parameter(Name=PARAMETER, Value="services-password", Type="SecureString")
        place = {"LocationConstraint": "ap-southeast-1"}
        clients["s3"].create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        with CallPlatform("services", "services-password") as platform, CustomerServer() as customer:
            environment = {
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT / "containers" / "switch_app"),
                "AWS_ENDPOINT_URL": endpoint,
                "AWS_ACCESS_KEY_ID": "local",
                "AWS_SECRET_ACCESS_KEY": "local",
                "AWS_DEFAULT_REGION": "ap-southeast-1",
                "AHN_HTTP_PASSWORD": "password",
                "AHN_CORE_HTTP_PORT": str(free_port()),
                "CALL_PLATFORM_HOST": platform.url,
                "CALL_PLATFORM_PASSWORD_PARAMETER": PARAMETER,
                "CALL_DATA_RECORDS_DIRECTORY": str(freeswitch_process.records),
                "FS_CACHE_DIRECTORY": str(tmp_path / "cache"),
                "FS_EVENT_SOCKET_HOST": freeswitch_process.address,
                "FS_EVENT_SOCKET_PASSWORD": freeswitch.PASSWORD,
                "FS_SWITCH_APP_ADDRESS": f"{freeswitch_process.address}:{HANDOVER_PORT}",
                "FS_RECORDINGS_BUCKET_NAME": BUCKET,
                "FS_STORAGE_DIRECTORY": str(freeswitch_process.directory / f"storage-{uuid.uuid4().hex[:8]}"),
                "HOST_ADDRESS": ADDRESS,
                "PRIVATE_NETWORKS_ALLOWED": "127.0.0.0/8",
                "REGION": "hydrogen",
                "SERVICES_FUNCTION_ARN": "arn:aws:lambda:ap-southeast-1:123456789012:function:services",
            }
            app = AppProcess(environment, platform, customer, freeswitch_process.address, phone)
            async with delivered(freeswitch_process.records, platform):
                yield app
            for process in app.running:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
    finally:
        emulator.stop()


async def test_an_app_that_is_killed_and_comes_back(app: AppProcess, freeswitch_process: FreeSwitchProcess) -> None:
    first = await app.start()
    end = await app.call()
    assert await asyncio.wait_for(end.final, 5) == 200
    first.kill()
    await first.wait()
    # Meanwhile there is no app.
    assert await asyncio.wait_for((await app.call()).final, 3) == 503
    assert not end.ended.is_set()
    await app.start()
    await asyncio.wait_for(end.ended.wait(), 3)
    (call,) = app.platform.calls.values()
    await app.until(lambda: app.records(call.sid), 5)
    (record,) = app.records(call.sid)
    assert record["hangup_cause"] == "NORMAL_TEMPORARY_FAILURE"
    assert int(record["answer_epoch"]) > 0


async def test_each_call_of_a_dial_has_one_record_when_the_app_is_killed(
    app: AppProcess, freeswitch_process: FreeSwitchProcess, other_phone: Phone
) -> None:
    async def say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    def children() -> list[str]:
        return [child["sid"] for child in app.platform.outbound_calls]

    owed = freeswitch_process.records / "owed"
    function = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    app.environment["AWS_ENDPOINT_URL_LAMBDA"] = f"http://127.0.0.1:{function.sockets[0].getsockname()[1]}"
    first = await app.start()

    # A dial that is not begun yet: nobody says where the client is. One that rings, one whose parties talk.
    app.platform.routing = {"username": "user1"}
    ends = [await app.call("<Dial><Number>85510551006</Number><Number>85510551007</Number></Dial>")]
    await app.until(lambda: len(list(owed.glob("*.json"))) == 2, 5)
    app.platform.routing = {"host": other_phone.address}
    ends.append(await app.call("<Dial>85510551008</Dial>"))
    (await other_phone.next_call()).ring()
    ends.append(await app.call("<Dial>85510551009</Dial>"))
    await (await other_phone.next_call()).answer()
    await asyncio.sleep(1.2)
    first.kill()
    await first.wait()
    second = await app.start()
    await app.until(lambda: all(app.records(sid) for sid in app.platform.calls), 10)
    assert len(children()) == 4
    told = [app.records(sid)[0] for sid in children()]
    statuses = [(record["sip_term_status"], int(record["billsec"]) > 0) for record in told]
    assert statuses == [("503", False), ("503", False), ("480", False), ("200", True)]
    assert {record["hangup_cause"] for record in told} == {"NORMAL_TEMPORARY_FAILURE"}

    # FreeSWITCH dies with the app.
    await app.call("<Dial>85510551010</Dial>")
    (await other_phone.next_call()).ring()
    await app.until(lambda: len(children()) == 5, 5)
    await asyncio.sleep(0.2)
    freeswitch_process.stop(kill=True)
    second.kill()
    await second.wait()
    freeswitch_process.start()
    await app.start()
    await app.until(lambda: app.records(children()[-1]), 10)
    assert app.records(children()[-1])[0]["sip_term_status"] == "503"
    await asyncio.sleep(1)
    assert list(owed.iterdir()) == []
    told_of = [request for request in app.platform.requests if request.path.startswith("/call_data_records")]
    assert len(told_of) == len(app.platform.calls) - 1  # all but the caller's that died with both; and none twice
    for end in ends:
        assert end.ended.is_set()
    function.close()


async def test_an_app_that_is_told_to_stop_lets_its_last_call_end(app: AppProcess) -> None:
    process = await app.start()
    end = await app.call()
    assert await asyncio.wait_for(end.final, 5) == 200
    process.send_signal(signal.SIGTERM)
    await asyncio.sleep(0.5)
    assert await asyncio.wait_for((await app.call()).final, 3) == 503
    assert process.returncode is None
    assert not end.ended.is_set()
    end.hang_up()
    assert await asyncio.wait_for(process.wait(), 10) == 0
    (call, *_) = app.platform.calls.values()
    assert call.events == ["answered", "completed"]
    await app.until(lambda: len(app.records(call.sid)) == 1, 5)
