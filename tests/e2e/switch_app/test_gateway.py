"""A carrier (SIPp) calls through the public gateway (OpenSIPS) to FreeSWITCH and the app: all of it real."""

import asyncio
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from switch_app.call import Leg, Silence
from switch_app.freeswitch.telephony import FreeSwitch
from tests.e2e.gateways.conftest import SCENARIOS, SETTINGS, target, use_proxy
from tests.e2e.switch_app.app_world import World
from tests.e2e.switch_app.conftest import Handler, record_of
from tests.fakes.customer_server import twiml
from tests.support import freeswitch, media_proxy, opensips, sipp
from tests.support.freeswitch import FreeSwitchProcess
from tests.support.loopback import LoopbackNetwork
from tests.support.media_proxy import MediaProxy
from tests.support.opensips import Gateway
from tests.support.phone import Phone
from tests.support.sipp import Sipp, run

pytestmark = [
    pytest.mark.skipif(opensips.BINARY is None, reason=opensips.MISSING),
    pytest.mark.skipif(sipp.BINARY is None, reason=sipp.MISSING),
]


@pytest.fixture
def gateway(network: LoopbackNetwork) -> Iterator[Gateway]:
    directory = Path(tempfile.mkdtemp(prefix="gateway-"))
    with Gateway("public", directory, network.address(), SETTINGS) as gateway:
        yield gateway
    shutil.rmtree(directory)


@pytest.fixture
def carrier(network: LoopbackNetwork, gateway: Gateway, world: World) -> str:
    """A carrier whose calls the gateway sends to the switch."""
    address = network.address()
    switches = target(world.switch), target(world.switch, 1, "gwalt", 5080)
    gateway.set_targets(*switches, password=freeswitch.PASSWORD)
    gateway.set_addresses((1, address))
    return address


async def call(gateway: Gateway, carrier: str, scenario: str, number: str, port: int = 5060) -> Sipp:
    return await asyncio.to_thread(
        run,
        SCENARIOS / f"{scenario}.xml",
        gateway.directory,
        carrier,
        remote=f"{gateway.address}:{port}",
        keys={"number": number},
    )


async def test_pg_1_a_call_in(world: World, gateway: Gateway, carrier: str) -> None:
    url = world.customer.reply("/voice", twiml('<Say>Hello</Say><Pause length="30"/>'))
    world.platform.numbers["1234"] = {"voice_url": url}
    caller = await call(gateway, carrier, "carrier_calls", "1234")
    (told,) = world.platform.inbound_calls
    assert (told["to"], told["from"], told["source_ip"]) == ("1234", "+85512234567", carrier)
    (platform_call,) = world.platform.calls.values()
    answers = [*caller.received("SIP/2.0 183"), *caller.received("SIP/2.0 200")[:1]]
    assert len(answers) == 2
    for answer in answers:
        assert answer.headers("X-Somleng-CallSid") == [platform_call.sid]
        assert answer.headers("X-Somleng-AccountSid") == []
        assert f"c=IN IP4 {world.switch}" in answer.body
        assert f"<sip:{gateway.address}:5060" in answer.headers("Record-Route")[0]
    assert (await world.record(platform_call.sid))["sip_term_status"] == "200"


async def test_pg_2_a_call_that_the_platform_refuses(world: World, gateway: Gateway, carrier: str) -> None:
    world.platform.numbers["1"] = {}
    caller = await call(gateway, carrier, "carrier_gets_403", "4444")
    assert caller.received("SIP/2.0 403")
    assert world.customer.requests == []


async def test_pg_8_the_switch_hangs_up(world: World, gateway: Gateway, carrier: str) -> None:
    url = world.customer.reply("/voice", twiml("<Say>Hello</Say><Hangup/>"))
    world.platform.numbers["1111"] = {"voice_url": url}
    caller = await call(gateway, carrier, "carrier_is_hung_up", "1111")
    assert len(caller.received("BYE")) == 1


async def test_pg_13_a_call_in_by_the_alternative_port(world: World, gateway: Gateway, carrier: str) -> None:
    url = world.customer.reply("/voice", twiml('<Say>Hello</Say><Pause length="30"/>'))
    world.platform.numbers["7888"] = {"voice_url": url}
    caller = await call(gateway, carrier, "carrier_calls", "7888", 5080)
    answer = caller.received("SIP/2.0 200")[0]
    assert f"c=IN IP4 {freeswitch.NAT_INSTANCE_IP}" in answer.body
    assert f"<sip:{gateway.address}:5080" in answer.headers("Record-Route")[0]


async def test_the_gateway_hears_the_switchs_heart(world: World, gateway: Gateway, carrier: str) -> None:
    def free() -> set[int]:
        found = gateway.mi("lb_list")["Destinations"]
        return {int(resource["max"]) for destination in found for resource in destination["Resources"]}

    assert free() == {int(gateway.environment.get("INITIAL_SWITCH_CAPACITY", 1000))}
    async with asyncio.timeout(5):
        # Of 150 sessions, as many as the idle part of the processor bears; on a busy machine that is few.
        while not all(number <= 150 for number in free()):
            await asyncio.sleep(0.1)


@pytest.mark.skipif(media_proxy.BINARY is None, reason=media_proxy.MISSING)
async def test_cg_5_a_call_out_to_a_client(
    network: LoopbackNetwork,
    freeswitch_process: FreeSwitchProcess,
    telephony: FreeSwitch,
    handler: Handler,
    phone: Phone,
    tmp_path: Path,
) -> None:
    directory = Path(tempfile.mkdtemp(prefix="gateway-"))
    proxy_address = network.address()
    with (
        MediaProxy(tmp_path, proxy_address, proxy_address) as proxy,
        Gateway("client", directory, network.address(), SETTINGS) as gateway,
    ):
        gateway.set_targets(target(freeswitch_process.address), password=freeswitch.PASSWORD)
        use_proxy(gateway, proxy)
        leg = Leg(
            uuid=str(uuid.uuid4()),
            address=f"+85516701722@{phone.address}:5060",
            profile="nat_gateway",
            caller_id="2442",
            call_sid=str(uuid.uuid4()),
            proxy=f"{gateway.address}:5060",
        )
        await telephony.originate(leg, 10)
        callee = await phone.next_call()
        invite = callee.messages[0]
        assert f"<sip:{gateway.address}:5060;" in invite.headers("Record-Route")[0]
        assert f"c=IN IP4 {proxy_address}\n" in invite.body
        assert "X-Somleng-ProxyAddress" not in invite.text
        await callee.answer()
        call = await handler.next_call()
        await call.play([Silence(0.3)])
        await call.hangup()
        await asyncio.wait_for(callee.ended.wait(), 3)
        methods = [message.first_line.split()[0] for message in callee.messages]
        assert methods == ["INVITE", "ACK", "BYE"]
        assert callee.messages[-1].request_uri == f"sip:phone@{phone.address}:5060"
        assert (await record_of(freeswitch_process, leg.call_sid))["sip_term_status"] == "200"
    shutil.rmtree(directory)
