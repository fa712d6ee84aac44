"""A second switch joins and takes its share, the first one drains, and nothing of any call is lost."""

import asyncio
import subprocess
import time
from collections import Counter
from typing import Any

from local.errors import StepFailed
from local.steps import Step
from local.voice.steps.stage import SCENARIOS, Stage, hears, within
from local.voice.steps.start import FIRST_SWITCH
from local.voice.switch_task import SwitchTask
from tests.support.ecs_cluster import interface_ip
from tests.support.phone import Phone, PhoneCall
from tests.support.sipp_load import Outcome, place_calls
from tests.support.speech_codec import tone
from tests.support.wav_bytes import wav

_SECOND_SWITCH = "switch-2"
_NUMBER, _HELD = "1400", "1401"
_TONE = 500
_CALLS, _CALLS_A_SECOND = 36, 4
_SHARE = 3
"""Calls that the first switch must have before the second one joins, and that this one must have then."""
_END_SECONDS = 30.0


class SwitchSteps:
    """The steps.

    Args:
        stage: where they happen.
        address: of a carrier, for SIPp.
        permitted: of one that may call already, for a phone.

    """

    def __init__(self, stage: Stage, address: str, permitted: str) -> None:
        self._stage, self._address, self._permitted = stage, address, permitted
        self._load: asyncio.Task[Outcome] | None = None
        self._sipp: list[subprocess.Popen[bytes]] = []
        self._phone: Phone | None = None
        self._held: PhoneCall | None = None

    def steps(self) -> list[Step]:
        """Return the steps in their order."""
        step = self._stage.step
        return [
            step("A second switch joins and takes its share", self._join),
            step("The first one drains under load", self._drain),
        ]

    async def _join(self) -> str:
        stage, voice = self._stage, self._stage.voice
        await stage.send_job("CreateOpenSIPSPermissionJob", self._address, {"group_id": 1})
        began = time.monotonic()
        ecs_task = stage.tasks[_SECOND_SWITCH] = await asyncio.to_thread(stage.system.home_cluster.run, "switch")
        task = await asyncio.to_thread(voice.start_switch, _SECOND_SWITCH, interface_ip(ecs_task))
        await asyncio.to_thread(task.wait_until_healthy, stage.system.supervisor, 45)
        healthy = time.monotonic() - began
        await stage.until("the permission", lambda: voice.public_gateway.permits(self._address))
        await self._hold_a_call()
        voice.platform.set_number(_NUMBER, voice.customer.write("load", '<Say>Hello</Say><Pause length="60"/>'))
        self._load = asyncio.create_task(asyncio.to_thread(self._place_calls))
        (first,) = (switch.address for switch in voice.switches if switch is not task)
        await stage.until("calls of the load", self._taken, lambda taken: taken[first] >= _SHARE)
        joins = time.monotonic()
        await asyncio.to_thread(stage.system.task_events.put, ecs_task, version=3)
        await self._until_target(task, there=True)
        joined = time.monotonic() - joins
        taken = await stage.until(
            "calls at the second switch", self._taken, lambda taken: taken[task.address] >= _SHARE
        )
        return (
            f"healthy after {healthy:.1f} s, a target {joined:.2f} s after its event; calls so far: "
            f"{FIRST_SWITCH} {taken[first]}, {_SECOND_SWITCH} {taken[task.address]}"
        )

    async def _hold_a_call(self) -> None:
        """Have a phone call in while there is one switch, and stay."""
        voice = self._stage.voice
        music = voice.customer.audio("music", wav(tone(_TONE, 60)))
        voice.platform.set_number(_HELD, voice.customer.write("held", f"<Play>{music}</Play>"))
        self._phone = await Phone(self._permitted).__aenter__()
        self._held = await self._phone.call(voice.public_gateway.address, _HELD)
        await within("the answer", 8, self._held.final)
        await hears(self._held, _TONE)

    async def _drain(self) -> str:
        stage, voice = self._stage, self._stage.voice
        if self._load is None or self._held is None:
            raise StepFailed("there are no calls")
        first = next(switch for switch in voice.switches if switch.name == FIRST_SWITCH)
        live = self._live(first) + 1
        # As ECS does: the event, and the signals at the same time.
        ecs_task = stage.tasks[FIRST_SWITCH]
        await asyncio.to_thread(stage.system.home_cluster.stop, ecs_task)
        stopping = asyncio.create_task(asyncio.to_thread(voice.end_switch, first, _END_SECONDS))
        change: dict[str, Any] = {"version": 4, "last_status": "DEACTIVATING", "desired_status": "STOPPED"}
        await asyncio.to_thread(stage.system.task_events.put, ecs_task, **change)
        leaves = time.monotonic()
        await self._until_target(first, there=False)
        left, taken = time.monotonic() - leaves, self._taken()[first.address]
        # Its calls go on, to their own end.
        await asyncio.sleep(1)
        await hears(self._held, _TONE, 1)
        if stopping.done():
            raise StepFailed(f"{first.name} ended although a call was under way")
        self._held.hang_up()
        ended = await stopping
        outcome = await self._load
        await self.leave()
        late = self._taken()[first.address] - taken
        if any(ended.statuses) or outcome.failed or outcome.successful != _CALLS or late > 1 or self._live(first):
            raise StepFailed(
                f"statuses {ended.statuses}; of {_CALLS} calls {outcome.successful} succeeded and {outcome.failed} "
                f"failed; {late} came late, {self._live(first)} did not end"
            )
        return (
            f"no target {left:.2f} s after its event; its {live} calls go on to their end, and it ends after "
            f"{ended.seconds:.1f} s; {outcome.successful} of {_CALLS} calls well"
        )

    async def leave(self) -> None:
        """Let go of phone and SIPp."""
        for process in self._sipp:
            process.kill()  # nothing, where it has ended
        phone, self._phone = self._phone, None
        if phone is not None:
            await phone.__aexit__()

    def _place_calls(self) -> Outcome:
        directory = self._stage.scratch
        numbers = directory / "numbers.csv"
        numbers.write_text(f"SEQUENTIAL\n{_NUMBER}\n")
        return place_calls(
            SCENARIOS / "scale_in" / "scenarios" / "carrier_talks.xml",
            directory,
            self._address,
            f"{self._stage.voice.public_gateway.address}:5060",
            calls=_CALLS,
            in_flight=_CALLS,
            rate=_CALLS_A_SECOND,
            users=numbers,
            options=["-rtp_echo"],
            started=self._sipp.append,
        )

    async def _until_target(self, task: SwitchTask, *, there: bool) -> None:
        uri = f"sip:{task.address}:5060"
        for gateway in (self._stage.voice.public_gateway, self._stage.voice.client_gateway):
            await self._stage.until(
                f"{task.name} at the {gateway.kind} gateway", gateway.targets, lambda targets: (uri in targets) is there
            )

    def _calls(self) -> list[dict[str, Any]]:
        return [call for call in self._stage.voice.platform.told("inbound_calls") if call["to"] == _NUMBER]

    def _taken(self) -> Counter[str]:
        """Return how many calls of the load each switch has taken, by its address."""
        return Counter(call["host"] for call in self._calls())

    def _live(self, task: SwitchTask) -> int:
        """Return how many calls of a switch the platform does not know to be over."""
        over = {
            event["phone_call"]
            for event in self._stage.voice.platform.told("call_events")
            if event["type"] == "completed"
        }
        return len({call["external_id"] for call in self._calls() if call["host"] == task.address} - over)
