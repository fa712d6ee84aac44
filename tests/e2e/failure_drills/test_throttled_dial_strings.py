"""DynamoDB throttles while switches ask where clients are: the app's own client asks the real function."""

import io
import json
import time
from typing import Any

import pytest

from routing import Registration, RegistrationWriter
from switch_app.client_gateways import ClientContact, ClientGateways
from switch_app.errors import PlatformUnavailable
from tests.e2e.failure_drills.conftest import Services, note
from tests.support.faulty_aws import Fault, FaultyAws, all_of, count, share
from tests.support.routing_tables import NAMES, client
from tests.support.skipped_waits import skipped_waits

ASKED = 30
SECONDS = 10.0
"""What the app waits."""


class InvokedFunction:
    """Lambda's `Invoke` in front of the function: what it raises becomes an answer with `FunctionError`."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        try:
            answer, error = self._services(json.loads(Payload)), {}
        except Exception as failure:  # noqa: BLE001 - as Lambda does
            answer = {"errorType": type(failure).__name__, "errorMessage": str(failure)}
            error = {"FunctionError": "Unhandled"}
        return {"Payload": io.BytesIO(json.dumps(answer).encode()), **error}


@pytest.fixture
def gateways(services: Services) -> ClientGateways:
    """The app's view of the client gateways; one client is registered."""
    now = int(time.time())
    contact = Registration(
        username="user1",
        contact_id="1",
        contact="sip:user1@192.168.1.75:5060",
        received="sip:45.118.77.153:1619",
        socket="udp:10.10.0.20:6060",
        user_agent=None,
        gateway="gateway-1",
        last_modified=now,
        expires=now + 600,
    )
    RegistrationWriter(client(), NAMES).write({("user1", "1"): contact})
    return ClientGateways(InvokedFunction(services), "services", SECONDS)


CONTACT = ClientContact("1234@45.118.77.153:1619", "10.10.0.20:6060")


async def test_half_of_the_requests_are_throttled(aws: FaultyAws, gateways: ClientGateways) -> None:
    answered, refused, longest = 0, 0, 0.0
    with aws.faults(share(0.5, 6, Fault.THROTTLED)) as requests, skipped_waits() as waits:
        for _ in range(ASKED):
            before = waits.seconds
            try:
                assert await gateways.contact("user1", "1234") == CONTACT
                answered += 1
            except PlatformUnavailable:
                refused += 1
            longest = max(longest, waits.seconds - before)
    note("dial strings, half throttled", answered=answered, refused=refused, longest=longest, **count(requests))
    assert answered > ASKED * 0.6
    assert await gateways.contact("user1", "1234") == CONTACT


async def test_all_are_throttled(aws: FaultyAws, gateways: ClientGateways) -> None:
    with aws.faults(all_of("dynamodb", Fault.THROTTLED)) as requests, skipped_waits() as waits:
        with pytest.raises(PlatformUnavailable):
            await gateways.contact("user1", "1234")
        note("a dial string, all throttled", waited=waits.seconds, **count(requests))
    assert await gateways.contact("user1", "1234") == CONTACT
