"""FreeSWITCH as a whole: calls that come and go, and what is told of them."""

import asyncio
import contextlib
import logging
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from switch_app.call import Leg
from switch_app.errors import MediaServerError
from switch_app.freeswitch.call import FreeSwitchCall
from switch_app.freeswitch.channel import Channel
from switch_app.freeswitch.dead_man_switch import CAUSE, DeadManSwitch
from switch_app.freeswitch.dial_string import bracketed, endpoint_of, variables_of
from switch_app.freeswitch.event_socket import EventSocket, EventSocketAddress
from switch_app.freeswitch.first_legs import FirstLegs, told_of
from switch_app.freeswitch.handover import HandoverServer
from switch_app.freeswitch.legs import DialledLeg, DialledLegs
from switch_app.freeswitch.messages import Event
from switch_app.telephony import CallHandler

logger = logging.getLogger(__name__)

_UUID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
_CAUSE: Final = re.compile(r"[A-Z0-9_]{1,60}")
_EXTENSION: Final = "call XML outbound"
"""Where the dialplan hands over a call that was just answered."""

CANCELLED: Final = "MANAGER_REQUEST"
"""The cause of a call that is called off before it is answered."""

_FILTERS: Final = ("Call-Direction outbound", "Event-Name CHANNEL_BRIDGE", "Event-Name BACKGROUND_JOB")
"""What FreeSWITCH's own socket tells. What happens to a call that comes in is told by the one that it is handed over
by; a bridge is an event of such a call, and is of interest for whom it is joined with."""

_CREATE_SECONDS: Final = 10.0
_LATE_SECONDS: Final = 0.2

_CLOSE_SECONDS: Final = 2.0

_CORE: Final = "global_getvar core_uuid"
"""What FreeSWITCH calls itself; another one each time that it starts."""


@dataclass(frozen=True, slots=True)
class FreeSwitchSettings:
    """Where FreeSWITCH and the app meet.

    Attributes:
        event_socket: FreeSWITCH's own.
        handover: host and port that FreeSWITCH hands calls over at.
        profiles: that must run.
        dead_man_seconds: when FreeSWITCH ends all calls after the app is last heard of.
        grace_seconds: how long FreeSWITCH may be lost until the calls that it had count as ended.
        pipes: a directory that both reach, for the pipes that audio goes through; what is in it is nobody else's.

    """

    event_socket: EventSocketAddress
    handover: tuple[str, int] = ("127.0.0.1", 8084)
    profiles: tuple[str, ...] = ("nat_gateway", "nat_instance", "uac_nat_instance")
    dead_man_seconds: int = 20
    grace_seconds: float = 3.0
    pipes: Path = field(kw_only=True)


class FreeSwitch:
    """A FreeSWITCH; see `switch_app.telephony.Telephony`.

    Args:
        settings: where it is.
        handler: what gets its calls and events.

    """

    def __init__(self, settings: FreeSwitchSettings, handler: CallHandler) -> None:
        self._settings, self._handler = settings, handler
        self._first_legs, self._dialled_legs = FirstLegs(handler.note), DialledLegs(self._account_for_leg)
        self._created: dict[str, asyncio.Event] = {}
        self._handed_over: set[str] = set()
        self._given_up: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._grace: asyncio.TimerHandle | None = None
        self._accounts: set[asyncio.Task[None]] = set()
        self._core = ""
        self._is_new, self._refuses = True, False
        self._ready = asyncio.Event()
        self._event_socket = EventSocket(
            settings.event_socket, self._take, self._connected, self._lost, filters=_FILTERS
        )
        self._handover = HandoverServer(settings.handover, self._run, self._ended, self._first_legs.take)
        self._dead_man_switch = DeadManSwitch(self._event_socket.api, settings.dead_man_seconds)

    async def start(self) -> None:
        """Begin; FreeSWITCH need not be there yet. Calls come when it is.

        Raises:
            OSError: when there can be no pipes.

        """
        self._settings.pipes.mkdir(parents=True, exist_ok=True)
        for left in self._settings.pipes.glob("*.raw"):
            left.unlink(missing_ok=True)  # of a process before this one
        for work in (self._event_socket.run(), self._dead_man_switch.run()):
            self._tasks.add(asyncio.ensure_future(work))

    async def wait_until_ready(self) -> None:
        """Return when FreeSWITCH has been reached, and hands its calls over here."""
        await self._ready.wait()

    async def close(self) -> None:
        """Let go of FreeSWITCH. Calls that there are still end."""
        await self._handover.close()
        if self._accounts:
            await asyncio.wait(self._accounts, timeout=_CLOSE_SECONDS)
        if not self._first_legs.uuids():
            await self._dead_man_switch.withdraw()
        tasks = [*self._tasks, *self._accounts]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def originate(self, leg: Leg, timeout: int) -> None:
        """Begin to ring somebody."""
        variables = {**variables_of(leg), "originate_timeout": str(timeout), "ignore_early_media": "true"}
        line = f"originate {bracketed(variables, '{}', spaces=False)}{endpoint_of(leg)} {_EXTENSION}"
        created = self._created[leg.uuid] = asyncio.Event()
        self._first_legs.add(leg.uuid)
        job = asyncio.ensure_future(self._event_socket.background(line))
        self._keep(job)
        try:
            await _first(created, job, _CREATE_SECONDS)
            if not created.is_set():
                # What was created may be told just after what became of it.
                await _first(created, None, _LATE_SECONDS)
        finally:
            del self._created[leg.uuid]
            if not created.is_set():
                self._first_legs.forget(leg.uuid)
        if not created.is_set():
            reason = str(job.exception() or job.result()) if job.done() else "it does not answer"
            raise MediaServerError(f"FreeSWITCH makes no leg: {reason}")

    async def hangup(self, uuid: str, cause: str = "NORMAL_CLEARING") -> bool:
        """End a channel."""
        if not _UUID.fullmatch(uuid):
            return False
        if not _CAUSE.fullmatch(cause):
            raise MediaServerError(f"a cause is {cause[:60]!r}")
        if cause == CANCELLED and not self._first_legs.is_answered(uuid):
            # What the platform knows a call by that it cancelled, and not by nobody's answering (contract C2).
            await self._event_socket.api(f"uuid_setvar {uuid} sip_term_status")
            await self._event_socket.api(f"uuid_setvar {uuid} sip_invite_failure_status 487")
        return (await self._event_socket.api(f"uuid_kill {uuid} {cause}")).startswith("+OK")

    async def has_channel(self, uuid: str) -> bool:
        """Whether there is a channel whose record is still to be written: it is listed until then, and from a moment
        after it has begun."""
        if await self._event_socket.api(f"uuid_exists {uuid}") == "true":
            return True
        listed = await self._event_socket.api(f"show channels like {uuid}")
        if not listed.endswith(" total."):
            raise MediaServerError(f"FreeSWITCH does not list its channels: {listed[:100]!r}")
        return listed.split()[-2] != "0"

    async def check(self) -> None:
        """Return when it takes calls."""
        if "is ready" not in await self._event_socket.api("status"):
            raise MediaServerError("FreeSWITCH is not ready")
        status = await self._event_socket.api("sofia status")
        for profile in self._settings.profiles:
            if not re.search(rf"^\s*{re.escape(profile)}\s+profile\s.*RUNNING", status, re.MULTILINE):
                raise MediaServerError(f"the SIP profile {profile} does not run")

    async def refuse_new_calls(self) -> None:
        """Take no new call, here and after FreeSWITCH has been lost and found."""
        self._refuses = True
        await self._event_socket.api("fsctl pause inbound")

    # --- what happens

    async def _connected(self) -> None:
        if self._grace is not None:
            self._grace.cancel()
        await self._dead_man_switch.begin()
        if self._is_new:
            # What a process before this one left behind nobody controls.
            await self._event_socket.api(f"hupall {CAUSE}")
            await self._event_socket.api("fsctl resume inbound")
            await self._handover.start()
            self._is_new = False
        self._ready.set()
        if self._refuses:
            await self._event_socket.api("fsctl pause inbound")
        before, self._core = self._core, await self._event_socket.api(_CORE)
        self._dialled_legs.core = self._core
        for uuid in self._first_legs.uuids():
            if await self._event_socket.api(f"uuid_exists {uuid}") != "true":
                self._first_legs.complete(uuid, {}, is_lost=before not in ("", self._core))
        for uuid in self._given_up:
            await self._event_socket.api(f"uuid_kill {uuid} {CAUSE}")
        self._given_up.clear()

    def _lost(self) -> None:
        loop = asyncio.get_running_loop()
        self._grace = loop.call_later(self._settings.grace_seconds, self._give_up)

    def _give_up(self) -> None:
        """FreeSWITCH does not come back: the legs that were only known by its events are gone."""
        self._dialled_legs.lose()
        for uuid in self._first_legs.uuids():
            if uuid not in self._handed_over:
                self._given_up.add(uuid)
                self._first_legs.complete(uuid, {}, is_lost=True)

    def _take(self, event: Event) -> None:
        if event.name == "CHANNEL_CREATE" and (created := self._created.get(event.uuid)) is not None:
            created.set()
        self._dialled_legs.take(event)
        self._first_legs.take(event)

    async def _run(self, channel: Channel) -> None:
        # Gateways name a call by its Call-ID.
        sip = {"sip_call_id": channel.variables.get("sip_call_id"), "direction": channel.variables.get("direction")}
        logger.info("call is handed over", extra={"call_uuid": channel.uuid, **sip})
        self._handed_over.add(channel.uuid)
        self._first_legs.add(channel.uuid)
        await self._handler.handle(FreeSwitchCall(channel, self._dialled_legs, self._settings.pipes))

    def _ended(self, channel: Channel) -> None:
        if channel.last_event.name == "CHANNEL_HANGUP_COMPLETE":
            self._handed_over.discard(channel.uuid)
            self._first_legs.complete(channel.uuid, told_of(channel.last_event))
            return
        account = asyncio.ensure_future(self._account_for(channel, self._core))
        self._accounts.add(account)
        account.add_done_callback(self._accounts.discard)

    async def _account_for(self, channel: Channel, core: str) -> None:
        """Tell of an end that FreeSWITCH did not tell. One that lives has written the record of the call itself."""
        is_lost = True
        try:
            is_lost = await self._has_died(core)
        finally:
            self._handed_over.discard(channel.uuid)
            self._first_legs.complete(channel.uuid, told_of(channel.last_event), is_lost=is_lost)

    def _account_for_leg(self, leg: DialledLeg) -> None:
        """Tell of a dialled leg whose end FreeSWITCH did not tell, if it died: otherwise it wrote the record."""

        async def account() -> None:
            if await self._has_died(leg.core):
                leg.lost(leg.began, leg.answered_at)

        task = asyncio.ensure_future(account())
        self._accounts.add(task)
        task.add_done_callback(self._accounts.discard)

    async def _has_died(self, core: str) -> bool:
        """Tell whether a FreeSWITCH is gone: another one is in its place, or none answers in time."""
        try:
            async with asyncio.timeout(self._settings.grace_seconds):
                while True:
                    try:
                        return await self._event_socket.api(_CORE) != core
                    except MediaServerError:
                        await asyncio.sleep(0.1)
        except TimeoutError:
            return True

    def _keep(self, job: "asyncio.Task[str]") -> None:
        """Let an order to ring go on; how it ends is told by events."""

        async def wait() -> None:
            with contextlib.suppress(MediaServerError):
                await job

        task = asyncio.ensure_future(wait())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _first(created: asyncio.Event, job: "asyncio.Task[str] | None", seconds: float) -> None:
    """Wait for one of two, or for so long."""
    waiting = asyncio.ensure_future(created.wait())
    try:
        await asyncio.wait([waiting, *([job] if job else [])], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
