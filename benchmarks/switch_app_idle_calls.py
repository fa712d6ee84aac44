"""What calls cost the switch app that do nothing: memory for each, and what they add to the time of an update.

The calls are the in-process stand-in's, so its memory for each is in the figure; FreeSWITCH's is not. An update comes
over HTTP on this machine, and replaces what a call does by another long pause. Client and server share one process:
times are both of theirs.

    make bench, or python -m benchmarks.switch_app_idle_calls [--calls 1000] [--updates 500]
"""

import argparse
import asyncio
import gc
import os
import random
import statistics
import time
from pathlib import Path

from tests.containers.switch_app.switch import INBOUND, Switch, properties, running_switch

_PAUSE = '<Response><Pause length="86400"/></Response>'
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def _resident_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES


async def _come(switch: Switch, count: int) -> list[str]:
    """Have calls come, until all of them run their document."""
    channels = []
    for _ in range(count):
        channels.append(switch.telephony.come(INBOUND).uuid)
        await asyncio.sleep(0)
    async with asyncio.timeout(60):
        while not all(switch.telephony.calls[channel].progress_headers for channel in channels):
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    return channels


async def _updates(switch: Switch, channels: list[str], count: int) -> list[float]:
    """Return the milliseconds that updates of some of the calls take, one after the other."""
    chance = random.Random(1)
    times = []
    for _ in range(count):
        began = time.perf_counter()
        status, _ = await switch.request("PATCH", f"/calls/{chance.choice(channels)}", json={"twiml": _PAUSE})
        times.append((time.perf_counter() - began) * 1000)
        assert status == 204
    return times


async def _measure(calls: int, updates: int) -> None:
    async with running_switch() as switch:
        switch.telephony.pace = 1.0
        switch.register.answer = properties(voice_url=None, twiml=_PAUSE)
        first = await _come(switch, 1)
        await _updates(switch, first, 50)  # connections and caches are warm
        alone = await _updates(switch, first, updates)
        before = _resident_bytes()
        began = time.perf_counter()
        channels = first + await _come(switch, calls - 1)
        taken = time.perf_counter() - began
        after = _resident_bytes()
        crowded = await _updates(switch, channels, updates)
    print(f"calls that came and run a document: {calls}, in {taken:.2f} s")
    print(f"resident memory for each: {(after - before) / (calls - 1) / 1024:.1f} KB")
    print(f"{'update, ms':22}{'median':>10}{'p99':>10}")
    for name, times in (("1 call", alone), (f"{calls:,} calls", crowded)):
        print(f"{name:22}{statistics.median(times):10.2f}{statistics.quantiles(times, n=100)[98]:10.2f}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--updates", type=int, default=500)
    arguments = parser.parse_args()
    asyncio.run(_measure(arguments.calls, arguments.updates))


if __name__ == "__main__":
    main()
