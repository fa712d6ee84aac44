"""A switch without FreeSWITCH, platform and customers: the HTTP API, the calls and their life are real."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from switch_app.call import Leg
from switch_app.call_data_records.document import LostCall
from switch_app.call_platform.client import InboundCall
from switch_app.call_properties import CallProperties, RoutingParameters
from switch_app.calls.call_control import CallControl
from switch_app.calls.calls import Calls
from switch_app.calls.incoming import Incoming
from switch_app.calls.live_calls import LiveCalls
from switch_app.calls.originations import Originations
from switch_app.errors import FetchFailed, SwitchAppError
from switch_app.http_api.call_resources import CallResources
from switch_app.http_api.health_checks import HealthChecks
from switch_app.http_api.server import make_http_api, serve
from switch_app.life_cycle import LifeCycle
from switch_app.services import Document, Services
from switch_app.telephony import CallEvent
from tests.fakes.telephony import FakeTelephony

HOST = "10.10.1.13"
USERNAME, PASSWORD = "adhearsion", "password"

CALLEE = "85516701721@27.109.112.141"

CALL: Mapping[str, Any] = {
    "to": "+85516701721",
    "from": "2442",
    "voice_url": "https://rapidpro.ngrok.com/handle/33/",
    "voice_method": "GET",
    "status_callback_url": "https://rapidpro.ngrok.com/handle/33/",
    "status_callback_method": "POST",
    "sid": "6c4a3b54-95c7-4c3e-9b5d-3f3bd9b2ad10",
    "account_sid": "9e2ec5f6-7a77-4f5c-a2ad-d0a80a6b4d0f",
    "carrier_sid": "2f0f6ad0-1f38-4d55-8e0e-7f2d0a0fd0c1",
    "call_direction": "outbound",
    "account_auth_token": "k3y-used-for-X-Twilio-Signature",
    "direction": "outbound-api",
    "api_version": "2010-04-01",
    "default_tts_voice": "Basic.Kal",
    "routing_parameters": {
        "address": None,
        "destination": "85516701721",
        "dial_string_prefix": None,
        "plus_prefix": False,
        "national_dialing": False,
        "host": "27.109.112.141",
        "username": None,
        "sip_profile": "nat_gateway",
    },
    "billing_parameters": {"enabled": True, "billing_mode": "prepaid", "category": "outbound_calls"},
}

INBOUND: Mapping[str, str] = {
    "direction": "inbound",
    "sip_h_X-Somleng-Callee-Identity": "1294",
    "sip_h_X-Somleng-Caller-Identity": "+85512234567",
    "sip_h_X-Src-Ip": "27.109.112.140",
    "sip_from_host": "27.109.112.140",
    "sip_to_host": "52.74.4.205",
    "sip_network_ip": "10.10.2.5",
    "sip_via_host": "27.109.112.140",
}


@dataclass
class Register:
    """The platform's register of calls.

    Attributes:
        answer: what an inbound call is answered with: its properties, or an error.
        released: what holds the answer back while it is not set.
        inbound, events: what it was told.

    """

    answer: CallProperties | SwitchAppError
    inbound: list[InboundCall] = field(default_factory=list)
    events: list[CallEvent] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def create_inbound_call(self, call: InboundCall) -> CallProperties:
        self.inbound.append(call)
        await self.released.wait()
        if isinstance(self.answer, SwitchAppError):
            raise self.answer
        return self.answer

    def note_call_event(self, event: CallEvent) -> None:
        self.events.append(event)

    def kinds(self, uuid: str) -> list[str]:
        """Return what was told of a call, in its order."""
        return [str(event.kind) for event in self.events if event.uuid == uuid]


@dataclass
class Records:
    """Calls that no channel was made of: sid, cause, SIP status; and those that died with the media server."""

    unreached: list[tuple[str, str, int | None]] = field(default_factory=list)
    lost: list[LostCall] = field(default_factory=list)

    owed: list[str] = field(default_factory=list)

    async def note_owed(self, call_sids: Sequence[str]) -> None:
        self.owed += call_sids

    def note_lost(self, call: LostCall) -> None:
        self.lost.append(call)

    def note_unreached(self, call_sid: str, cause: str, sip_status: int | None) -> None:
        self.unreached.append((call_sid, cause, sip_status))


@dataclass
class Routes:
    """How calls leave: straight to the number at the trunk's host.

    Attributes:
        problem: why there is no route.
        asked: how often it was asked.
        released: what holds the answer back while it is not set.

    """

    problem: Exception | None = None
    asked: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def leg(
        self, routing: RoutingParameters, call_sid: str, sender: str, *, account_sid: str, carrier_sid: str
    ) -> Leg:
        self.asked += 1
        await self.released.wait()
        if self.problem is not None:
            raise self.problem
        uuid = f"{self.asked:08x}-8f8e-4f3e-8f8e-2a5b8a0f6c55"
        return Leg(uuid, f"{routing.destination}@{routing.host}", routing.sip_profile, sender, call_sid)


@dataclass
class Customer:
    """The customer's server. A URL that nobody has given a document gets no answer.

    Attributes:
        patience: seconds that an answer is waited for.
        documents: by URL.
        asked: method and URL of each request.
        failure: what every request runs into.

    """

    documents: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    failure: Exception | None = None
    patience: float = 15.0

    async def fetch(self, url: str, method: str, parameters: Sequence[tuple[str, str]]) -> Document:
        self.asked.append((method, url))
        if self.failure is not None:
            raise self.failure
        if url not in self.documents:
            await asyncio.sleep(self.patience)
            raise FetchFailed("no answer")
        return Document(self.documents[url], url)


@dataclass
class Switch:
    """A switch, and whom it talks to. Requests to its API are made with `request`."""

    telephony: FakeTelephony
    register: Register
    records: Records
    routes: Routes
    customer: Customer
    live_calls: LiveCalls
    calls: Calls
    originations: Originations
    life_cycle: LifeCycle
    url: str
    http: aiohttp.ClientSession

    async def request(
        self, method: str, path: str, *, credentials: tuple[str, str] | None = (USERNAME, PASSWORD), **body: Any
    ) -> tuple[int, Any]:
        """Make a request and return status and body, read as JSON where it is that."""
        auth = aiohttp.encode_basic_auth(*credentials) if credentials else None
        headers = {"Authorization": auth} if auth else {}
        async with self.http.request(method, f"{self.url}{path}", headers=headers, **body) as response:
            text = await response.text()
            return response.status, await response.json() if response.content_type == "application/json" else text

    async def until(self, condition: Callable[[], object], seconds: float = 5.0) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.002)


def properties(**changes: Any) -> CallProperties:
    """Return what the platform says of a call."""
    return CallProperties.parse({**CALL, **changes})


@contextlib.asynccontextmanager
async def running_switch(
    *,
    ring_seconds: int = 60,
    drain_seconds: float = 5.0,
    remembered: int = 100,
    completion_seconds: float = 0.2,
    silence_seconds: float = 30.0,
    silent_freeswitch: bool = False,
) -> AsyncIterator[Switch]:
    """Run a switch."""
    telephony = FakeTelephony()
    register = Register(properties(direction="inbound", call_direction="inbound", to="1294"))
    register.released.set()
    records, routes, customer, live_calls = Records(), Routes(), Customer(), LiveCalls()
    routes.released.set()

    def services_for(_: CallProperties) -> Services:
        unused: Any = None
        return Services(customer, unused, unused, unused, routes, records, unused)

    incoming = Incoming(register, records, HOST, "hydrogen")
    calls = Calls(live_calls, incoming, register, records, services_for, completion_seconds)
    originations = Originations(
        telephony, routes, register, records, live_calls, calls, ring_seconds, remembered, silence_seconds
    )
    life_cycle = LifeCycle(live_calls, telephony, drain_seconds, hangup_seconds=1.0)
    telephony.handler = calls
    resources = CallResources(originations, CallControl(live_calls, telephony), HOST, lambda: life_cycle.is_draining)

    async def alive() -> None:
        """The app answers, which is what is asked."""

    async def silent() -> None:
        await asyncio.Event().wait()

    freeswitch = silent if silent_freeswitch else telephony.check
    health = HealthChecks({"app": alive, "freeswitch": freeswitch, "life_cycle": life_cycle.check}, seconds=0.5)
    runner = await serve(make_http_api(USERNAME, PASSWORD, resources, health), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with aiohttp.ClientSession() as http:
            yield Switch(
                telephony, register, records, routes, customer, live_calls, calls, originations, life_cycle, url, http
            )
            settling = asyncio.create_task(telephony.settle())
            async with asyncio.timeout(5):
                while not settling.done():  # a call that still rings may be answered meanwhile
                    for call in telephony.calls.values():
                        call.end()
                    await asyncio.wait({settling}, timeout=0.02)
        assert telephony.failures == []
    finally:
        await runner.cleanup()
