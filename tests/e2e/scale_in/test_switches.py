"""Two switches become one under load, and two again: no call is refused, none is cut, nothing of any is lost."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import pytest

from tests.containers.switch_app.whole_app import BUCKET, PARAMETER
from tests.e2e.scale_in.switch_task import SwitchTask
from tests.fakes.call_platform import CallPlatform
from tests.fakes.customer_server import CustomerServer, twiml
from tests.fakes.ecs_agent import EcsAgent
from tests.fakes.recordings_bucket import RecordingsBucketServer
from tests.support import freeswitch, opensips, sipp
from tests.support.control_plane import Services, emulated_aws, services_function
from tests.support.ecs_events import task_event
from tests.support.loopback import LoopbackNetwork
from tests.support.opensips import Gateway
from tests.support.scheduler import Sidecar
from tests.support.services_environment import AWS
from tests.support.sipp_load import Outcome, place_calls
from tests.support.waiting import until

pytestmark = [
    pytest.mark.skipif(binary is None, reason=reason)
    for binary, reason in (
        (freeswitch.BINARY, freeswitch.MISSING),
        (opensips.BINARY, opensips.MISSING),
        (sipp.BINARY, sipp.MISSING),
    )
]

SCENARIO = Path(__file__).parent / "scenarios" / "carrier_talks.xml"
CALLS_A_SECOND = 5
BOUND_SECONDS = 30.0
TALKS, RECORDS = "1234", "1235"
"""Numbers: of a document that talks, and of one that records the caller until he hangs up."""


@dataclass
class Fleet:
    """A gateway with its control plane, and what switches talk to."""

    services: Services
    endpoint: str
    gateway: Gateway
    network: LoopbackNetwork
    directory: Path
    platform: CallPlatform
    customer: CustomerServer
    bucket: RecordingsBucketServer
    carrier: str
    tasks: ExitStack = field(default_factory=ExitStack)

    def task(self, name: str, agent: EcsAgent) -> SwitchTask:
        """Start a switch's task; it takes no calls before it joins."""
        settings = {
            **AWS,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ENDPOINT_URL_S3": self.bucket.url,
            "CALL_PLATFORM_HOST": self.platform.url,
            "CALL_PLATFORM_PASSWORD_PARAMETER": PARAMETER,
            "ECS_AGENT_URI": agent.uri,
            "FS_RECORDINGS_BUCKET_NAME": BUCKET,
            "PRIVATE_NETWORKS_ALLOWED": "127.0.0.0/8",
            "REGION": "hydrogen",
            "SERVICES_FUNCTION_ARN": "arn:aws:lambda:ap-southeast-1:123456789012:function:services",
        }
        return self.tasks.enter_context(SwitchTask(name, self.directory / name, self.network.address(), settings))

    def join(self, task: SwitchTask) -> None:
        """Have ECS say that a task runs, and wait until the gateway sends calls to it."""
        self.services.event(task_event(task.name, ip=task.address))
        until(f"{task.name} to be a target", lambda: self.is_target(task), 5)

    def is_target(self, task: SwitchTask) -> bool:
        return f"sip:{task.address}:5060" in self.gateway.targets()

    def call(self, calls: int) -> Outcome:
        """Place calls, at a steady rate; one in five is recorded."""
        numbers = self.directory / "numbers.csv"
        numbers.write_text("\n".join(["SEQUENTIAL", *[TALKS] * 4, RECORDS, ""]))
        remote = f"{self.gateway.address}:5060"
        return place_calls(
            SCENARIO,
            self.directory,
            self.carrier,
            remote,
            calls=calls,
            in_flight=calls,
            rate=CALLS_A_SECOND,
            users=numbers,
            options=["-rtp_echo"],
        )

    def taken(self) -> Counter[str]:
        """Return how many calls each switch has taken, by its address."""
        return Counter(call["host"] for call in list(self.platform.inbound_calls))

    def live(self, task: SwitchTask) -> int:
        """Return how many of a switch's calls the platform does not know to be over."""
        ids = {call["external_id"] for call in list(self.platform.inbound_calls) if call["host"] == task.address}
        events = list(self.platform.call_events)
        return len(ids - {event["phone_call"] for event in events if event["type"] == "completed"})


@pytest.fixture
def fleet(network: LoopbackNetwork, directory: Path) -> Iterator[Fleet]:
    emulator = directory / "emulator"
    emulator.mkdir()
    state = directory / "gateway"
    state.mkdir()
    settings = {"RING_TIMEOUT": "10", "ANSWER_TIMEOUT": "5"}
    gateway = Gateway("public", state, network.address(), settings, ready=False)
    with (
        emulated_aws(emulator) as endpoint,
        services_function(endpoint) as services,
        Sidecar("public", state, gateway.address, endpoint, {"FS_EVENT_SOCKET_PASSWORD": freeswitch.PASSWORD}),
        gateway,
        CallPlatform("services", "services-password") as platform,
        CustomerServer() as customer,
        RecordingsBucketServer() as bucket,
    ):
        boto3.client("ssm").put_parameter(Name=PARAMETER, Value="services-password", Type="SecureString")
        talk, record = (
            '<Say>Hello</Say><Pause length="60"/>',
            '<Record timeout="60" trim="do-not-trim" playBeep="false"/>',
        )
        for number, verbs in ((TALKS, talk), (RECORDS, record)):
            platform.numbers[number] = {"voice_url": customer.reply(f"/{number}", twiml(verbs))}
        carrier = network.address()
        services.job("CreateOpenSIPSPermissionJob", carrier, {"group_id": 1})
        until("the permission", lambda: carrier in str(gateway.mi("address_dump")), 5)
        made = Fleet(services, endpoint, gateway, network, directory, platform, customer, bucket, carrier)
        with made.tasks:
            yield made


async def test_two_become_one_under_load_and_two_again(fleet: Fleet) -> None:
    async with EcsAgent() as leaving_agent, EcsAgent() as staying_agent, EcsAgent() as new_agent:
        leaving = await asyncio.to_thread(fleet.task, "leaving", leaving_agent)
        staying = await asyncio.to_thread(fleet.task, "staying", staying_agent)
        for task in (leaving, staying):
            await asyncio.to_thread(fleet.join, task)

        load = asyncio.create_task(asyncio.to_thread(fleet.call, 75))
        await asyncio.sleep(6)
        # By idle processor, which two switches of one busy machine see differently: not half and half.
        assert fleet.taken()[leaving.address] > 2
        assert fleet.taken()[staying.address] > 2
        assert fleet.live(leaving) > 2
        assert leaving_agent.is_protected

        # As ECS does: the event, and the signals at the same time.
        event = task_event(leaving.name, ip=leaving.address, desired_status="STOPPED", version=4)
        stopping = asyncio.create_task(asyncio.to_thread(leaving.stop, BOUND_SECONDS))
        await asyncio.to_thread(fleet.services.event, event)
        await asyncio.to_thread(until, "the target to go", lambda: not fleet.is_target(leaving), 3)
        assert fleet.live(leaving) > 2
        assert leaving_agent.is_protected
        taken = fleet.taken()[leaving.address]

        ended = await stopping
        assert (ended.app, ended.freeswitch, ended.event_logger) == (0, 0, 0), leaving.app_log()[-4000:]
        assert ended.seconds < BOUND_SECONDS
        assert leaving_agent.requests[-1] == {"ProtectionEnabled": False}
        assert fleet.taken()[leaving.address] <= taken + 1  # one that was under way
        assert fleet.live(leaving) == 0
        assert leaving.left() == []

        outcome = await load
        assert (outcome.successful, outcome.failed) == (75, 0)
        assert staying_agent.is_protected

        # The way back.
        new = await asyncio.to_thread(fleet.task, "new", new_agent)
        await asyncio.to_thread(fleet.join, new)
        outcome = await asyncio.to_thread(fleet.call, 30)
        assert (outcome.successful, outcome.failed) == (30, 0)
        assert fleet.taken()[new.address] >= 8
        assert fleet.taken().total() == 105

        await asyncio.to_thread(until, "every end to be told", lambda: fleet.live(staying) + fleet.live(new) == 0)
        await asyncio.to_thread(until, "nothing to be left", lambda: staying.left() + new.left() == [])
    records_of_calls(fleet)
    recordings_of_calls(fleet)
    assert fleet.gateway.statistic("calls_without_switch") == 0


def records_of_calls(fleet: Fleet) -> None:
    """Every call has one record that counts, and ended as its caller wanted."""
    variables = [record["variables"] for record in fleet.platform.call_data_records]
    assert Counter(each["sip_rh_X-Somleng-CallSid"] for each in variables) == Counter(list(fleet.platform.calls))
    assert {each["sip_term_status"] for each in variables} == {"200"}
    assert {each["sip_hangup_disposition"] for each in variables} == {"recv_bye"}


def recordings_of_calls(fleet: Fleet) -> None:
    """Every call that was recorded has its recording in the bucket, and the platform was told of it."""
    recordings = list(fleet.platform.recordings.values())
    assert len(recordings) == 105 // 5
    keys = {recording["raw_recording_url"].split("/", 3)[3] for recording in recordings}
    assert keys == set(fleet.bucket.objects)
    assert all(len(content) > 8_000 for content in fleet.bucket.objects.values())
