"""An app in a process of its own, to be killed: it answers each call and plays silence for an hour.

python -m tests.e2e.switch_app.app_process <address of FreeSWITCH> <seconds of the dead man's switch>
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from switch_app.call import Call, Silence
from switch_app.freeswitch.event_socket import EventSocketAddress
from switch_app.freeswitch.telephony import FreeSwitch, FreeSwitchSettings
from switch_app.telephony import CallEvent
from tests.support import freeswitch


class _Handler:
    async def handle(self, call: Call) -> None:
        headers = {"X-Somleng-CallSid": call.variables["sip_h_X-Sid"]}
        await call.set_variables({"record_cdr": "true"})
        await call.answer(headers)
        await call.play([Silence(3600)])

    def note(self, event: CallEvent) -> None:
        pass


async def main(address: str, dead_man_seconds: int) -> None:
    """Run until it is killed."""
    socket = EventSocketAddress(address, 8021, freeswitch.PASSWORD)
    with tempfile.TemporaryDirectory() as directory:
        settings = FreeSwitchSettings(socket, (address, 8084), dead_man_seconds=dead_man_seconds, pipes=Path(directory))
        telephony = FreeSwitch(settings, _Handler())
        await telephony.start()
        await telephony.wait_until_ready()
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
