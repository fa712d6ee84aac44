"""Calls while a region is lost: a real public gateway with its scheduler, and switches in two regions."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.failure_drills.conftest import Services, note
from tests.support import opensips
from tests.support.ecs_events import task_event
from tests.support.faulty_aws import FaultyAws
from tests.support.loopback import LoopbackNetwork
from tests.support.opensips import Gateway
from tests.support.queue_events import failed, job, queue_event
from tests.support.scheduler import Sidecar
from tests.support.sip_calls import acknowledge_refusal, answer, invite
from tests.support.sip_peer import Peer
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(opensips.BINARY is None, reason=opensips.MISSING)

SETTINGS = {"ANSWER_TIMEOUT": "2", "PROBE_INTERVAL": "1"}
SCHEDULE = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory with a short path: a Unix socket's may have 107 characters."""
    path = Path(tempfile.mkdtemp(prefix="gateway-"))
    yield path
    shutil.rmtree(path)


def send(services: Services, job_class: str, ip: str, group: int) -> None:
    """Have a job done, as the platform sends it."""
    event = queue_event(job(job_class, ip, {"group_id": group}), sent_at=[int(time.time() * 1000)])
    assert failed(services(event)) == []


def refused(carrier: Peer, gateway: Gateway) -> tuple[str, float]:
    """Call, and return the refusal's reason and how long it took."""
    uri, to, began = f"sip:1234@{gateway.address}", (gateway.address, 5060), time.monotonic()
    invite(carrier, uri, to)
    refusal = carrier.receive("SIP/2.0 5", 8)
    took = time.monotonic() - began
    acknowledge_refusal(carrier, uri, to, refusal)
    return refusal.first_line.removeprefix("SIP/2.0 "), took


def reaches(carrier: Peer, switch: Peer, gateway: Gateway) -> None:
    """Have a call that the switch answers, and end it."""
    invite(carrier, f"sip:1234@{gateway.address}", (gateway.address, 5060))
    call = answer(carrier, switch)
    call.caller.reaches(call.callee, "BYE")


def test_calls_of_a_lost_region_are_refused_and_go_on_by_the_other_region_s_switches(
    aws: FaultyAws, services: Services, directory: Path
) -> None:
    network = LoopbackNetwork()
    gateway = Gateway("public", directory, network.address(), SETTINGS, ready=False)
    with (
        Sidecar("public", directory, gateway.address, aws.url),
        gateway,
        Peer(network.address()) as carrier_here,
        Peer(network.address()) as carrier_there,
        Peer(network.address(), answers_options=True) as here,
        Peer(network.address(), answers_options=True) as there,
    ):
        send(services, "CreateOpenSIPSPermissionJob", carrier_here.address, 1)
        send(services, "CreateOpenSIPSPermissionJob", carrier_there.address, 2)
        services(task_event("here", ip=here.address))
        services(task_event("there", ip=there.address, region="us-east-1"))
        until("the targets", lambda: len(gateway.targets()) == 4, 5)
        until("the permissions", lambda: group_of(gateway, carrier_there) == 2, 5)
        reaches(carrier_there, there, gateway)

        # The region swallows what is sent to it.
        there.answers_options = False
        first, waited = refused(carrier_there, gateway)
        assert first == "500 All GW are down"
        probed = until("the switch to be left alone", lambda: not is_enabled(gateway, there), 6)
        second, at_once = refused(carrier_there, gateway)
        assert second == "500 No Destination available"
        assert at_once < 0.5
        note("a call into a lost region", waited=waited, probed=probed, at_once=at_once)

        # The platform moves the carrier to the other region's group.
        send(services, "UpdateOpenSIPSPermissionJob", carrier_there.address, 1)
        moved = until("the carrier's new group", lambda: group_of(gateway, carrier_there) == 1, 3)
        reaches(carrier_there, here, gateway)
        reaches(carrier_here, here, gateway)

        # The region is back, and so is its carrier.
        there.answers_options = True
        back = until("the switch to be probed", lambda: is_enabled(gateway, there), 5)
        send(services, "UpdateOpenSIPSPermissionJob", carrier_there.address, 2)
        until("the carrier's old group", lambda: group_of(gateway, carrier_there) == 2, 3)
        reaches(carrier_there, there, gateway)
        note("a carrier of a lost region", moved=moved, back=back)


def group_of(gateway: Gateway, carrier: Peer) -> int | None:
    """Return the group that OpenSIPS knows a carrier by."""
    found = [each for part in gateway.mi("address_dump")["Partitions"] for each in part["Destinations"]]
    return next((int(each["grp"]) for each in found if each["ip"] == carrier.address), None)


def is_enabled(gateway: Gateway, switch: Peer) -> bool:
    """Tell whether OpenSIPS sends calls to a switch."""
    found = gateway.mi("lb_list")["Destinations"]
    return [each["enabled"] for each in found if each["uri"] == f"sip:{switch.address}:5060"] == ["yes"]
