"""Permissions and subscribers come and go through SQS, some messages twice; a carrier comes and goes with its own."""

import asyncio
import itertools
import json
import random
import time
from typing import Any

from local.errors import StepFailed
from local.soak.callers import Callers
from local.soak.ledger import Placed
from local.soak.parties import digests
from local.soak.truth import Truth
from local.system import LocalSystem
from local.voice.gateway_view import GatewayView
from tests.support.phone import Phone
from tests.support.queue_events import job, queue_event

_PAUSE_SECONDS = 1.5
_NEWCOMER_SECONDS = 12.0
_REPEATED = 0.3
_LATE_AT_ONCE = 10
_SETTLED_SECONDS = 40.0
"""That a permission may take while AWS does not answer and the scheduler starts again."""
PERMIT, CHANGE, FORBID = "CreateOpenSIPSPermissionJob", "UpdateOpenSIPSPermissionJob", "DeleteOpenSIPSPermissionJob"
SUBSCRIBE, UNSUBSCRIBE = "CreateOpenSIPSSubscriberJob", "DeleteOpenSIPSSubscriberJob"


class Jobs:
    """The platform, as far as it sends jobs.

    Args:
        system: where the queue is.
        truth: what is to be known of it.
        chosen: draws what comes and goes.

    Attributes:
        sent: how many messages were sent, repeated ones included.

    """

    def __init__(self, system: LocalSystem, truth: Truth, chosen: random.Random) -> None:
        self._system, self._truth, self._chosen = system, truth, chosen
        self._numbers = itertools.count(1)
        self._told: list[tuple[str, int]] = []
        self.sent = 0

    async def permit(self, address: str, group: int = 1) -> None:
        """Have an address let in."""
        self._truth.permit(address, group)
        await self._send(job(PERMIT, address, {"group_id": group}))

    async def forbid(self, address: str) -> None:
        """Have it let in no more."""
        self._truth.forbid(address)
        await self._send(job(FORBID, address))

    async def subscribe(self, username: str) -> None:
        """Have a client known."""
        known = digests(username)
        self._truth.subscribe(username, known["md5_password"])
        await self._send(job(SUBSCRIBE, {"username": username, **known}))

    async def change(self, seconds: float) -> None:
        """Have rows that nobody calls with come, change and go, for some seconds."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            addresses = [each for each in self._truth.addresses if each.startswith("10.")]
            guests = [each for each in self._truth.subscribers if each.startswith("guest")]
            kind = self._chosen.choice((PERMIT, SUBSCRIBE, CHANGE, FORBID, UNSUBSCRIBE))
            if kind == PERMIT or (kind in (CHANGE, FORBID) and not addresses):
                third, fourth = divmod(next(self._numbers), 250)
                await self.permit(f"10.1.{third}.{fourth}", 1)
            elif kind == SUBSCRIBE or (kind == UNSUBSCRIBE and not guests):
                await self.subscribe(f"guest{next(self._numbers)}")
            elif kind == CHANGE:
                address, group = self._chosen.choice(addresses), self._chosen.choice((1, 2))
                self._truth.permit(address, group)
                await self._send(job(CHANGE, address, {"group_id": group}))
            elif kind == FORBID:
                await self.forbid(self._chosen.choice(addresses))
            else:
                username = self._chosen.choice(guests)
                self._truth.unsubscribe(username)
                await self._send(job(UNSUBSCRIBE, {"username": username}))
            await asyncio.sleep(self._chosen.uniform(0.5, 1.5) * _PAUSE_SECONDS)

    async def newcomers(self, seconds: float, callers: Callers, gateway: GatewayView, address: str) -> None:
        """Have a carrier come, call, go, and be refused, again and again for some seconds."""
        until = time.monotonic() + seconds
        async with Phone(address) as phone:

            async def call(placed: Placed) -> None:
                await callers.answered_call(placed, phone)

            async def call_in_vain(placed: Placed) -> None:
                await callers.refused_call(placed, phone, 403, "403: permission taken away")

            while time.monotonic() < until:
                await self.permit(address)
                await self._settled(gateway, address, permitted=True)
                await callers.go_on("newcomer", call)
                await self.forbid(address)
                await self._settled(gateway, address, permitted=False)
                await callers.go_on("newcomer, gone again", call_in_vain)
                await asyncio.sleep(min(_NEWCOMER_SECONDS, max(0.0, until - time.monotonic())))

    async def repeat_late(self) -> str:
        """Have the function get messages again that it worked off long ago, as SQS may hand them over."""
        again = self._chosen.sample(self._told, min(_LATE_AT_ONCE, len(self._told)))
        event = queue_event(*(body for body, _ in again), sent_at=[at for _, at in again])
        failures = await asyncio.to_thread(self._invoke, event)
        if failures["batchItemFailures"]:
            raise StepFailed(f"messages that came again failed: {failures}")
        return f"{len(again)} messages again"

    def _invoke(self, event: dict[str, Any]) -> Any:
        answer = self._system.functions.invoke(
            FunctionName=self._system.outputs["ServicesFunction"], Payload=json.dumps(event).encode()
        )
        payload = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            raise StepFailed(f"the services function failed: {payload}")
        return payload

    async def reconcile(self) -> str:
        """Have the tables reconciled, as the schedule does; nothing should come of it."""
        healed = await asyncio.to_thread(self._invoke, {"source": "aws.events", "detail-type": "Scheduled Event"})
        return f"reconcile: {json.dumps(healed)}"

    async def _settled(self, gateway: GatewayView, address: str, *, permitted: bool) -> None:
        deadline = time.monotonic() + _SETTLED_SECONDS
        while await asyncio.to_thread(gateway.permits, address) is not permitted:
            if time.monotonic() > deadline:
                raise StepFailed(f"{address} should be {'permitted' if permitted else 'refused'} by now")
            await asyncio.sleep(0.2)

    async def _send(self, body: str) -> None:
        """Send a message, and now and then send it twice."""
        # Of the time before it was sent: what is done with its key afterwards is newer in any case.
        self._told.append((body, int(time.time() * 1000) - 1))
        for _ in range(2 if self._chosen.random() < _REPEATED else 1):
            queue = self._system.outputs["QueueUrl"]
            await asyncio.to_thread(self._system.sqs.send_message, QueueUrl=queue, MessageBody=body)
            self.sent += 1
