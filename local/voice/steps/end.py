"""The permission goes again, and what all calls have left is looked at."""

import asyncio
import time
from collections import Counter
from typing import Any

from local.errors import StepFailed
from local.steps import Step
from local.voice.steps.stage import Stage, within
from tests.support.phone import Phone


class EndSteps:
    """The steps.

    Args:
        stage: where they happen.
        address: of the carrier whose permission goes.

    """

    def __init__(self, stage: Stage, address: str) -> None:
        self._stage, self._address = stage, address

    def steps(self) -> list[Step]:
        """Return the steps in their order."""
        step = self._stage.step
        return [
            step("The carrier's permission is taken away", self._forbid),
            step("What the platform was told of all calls", self._look_back),
        ]

    async def _forbid(self) -> str:
        gateway = self._stage.voice.public_gateway
        async with Phone(self._address) as phone:
            began = time.monotonic()
            await self._stage.send_job("DeleteOpenSIPSPermissionJob", self._address)
            let_in = 0
            while time.monotonic() < began + 10:
                call = await phone.call(gateway.address, "1203")
                if await within("an answer of the gateway", 8, call.final) == 403:
                    return f"403 again after {time.monotonic() - began:.2f} s; {let_in} calls before it got in"
                call.hang_up()
                let_in += 1
                await asyncio.sleep(0.05)
        raise StepFailed("the carrier is still let in after 10 seconds")

    async def _look_back(self) -> str:
        platform = self._stage.voice.platform
        calls: dict[str, Any] = await asyncio.to_thread(platform.told, "calls")
        records = await self._stage.until(
            "a data record of each call",
            lambda: Counter(_sid(record["variables"]) for record in platform.told("call_data_records")),
            lambda counted: set(counted) == set(calls),
        )
        refused = platform.told("refused")
        lost = self._stage.voice.public_gateway.statistic("calls_without_switch")
        if refused or set(records.values()) != {1} or lost:
            raise StepFailed(f"refused: {refused}; records: {records}; calls without a switch: {lost}")
        recordings = len(platform.told("recordings"))
        events = len(platform.told("call_events"))
        counted = f"{events} events, {recordings} recordings"
        return f"{len(calls)} calls, a data record each; {counted}; it refused no request"


def _sid(variables: dict[str, str]) -> str | None:
    return variables.get("sip_h_X-Somleng-CallSid") or variables.get("sip_rh_X-Somleng-CallSid")
