"""Runs the switch app until it is told to stop (SIGTERM, SIGINT) and its calls are over."""

import asyncio
import gc
import logging
import os
import signal
import sys
from typing import Final

import uvloop

from switch_app.application import Application
from switch_app.aws_clients import AwsClients
from switch_app.errors import CannotBegin, InvalidSetting
from switch_app.freeswitch.event_socket import EventSocketAddress
from switch_app.freeswitch.telephony import FreeSwitch, FreeSwitchSettings
from switch_app.json_logging import log_to
from switch_app.settings import Settings
from switch_app.telephony import CallHandler

logger = logging.getLogger(__name__)

EX_CONFIG: Final = 78

_NEW_OBJECTS: Final = 20_000
"""Objects that are there more than before when the collector looks; Python's own choice is 700."""


def main() -> int:
    """Run it; return the exit status: 0 when no call was cut off, 1 when one was, 78 when it could not begin."""
    try:
        settings = Settings.from_environment(os.environ)
        log_to(sys.stdout, settings.log_level)
        # A call is many small reads and writes; with libuv's loop a short one took 3 to 9 % less CPU than with asyncio.
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(run(settings))
    except (InvalidSetting, CannotBegin) as error:
        print(f"switch_app: {error}", file=sys.stderr)
        return EX_CONFIG


async def run(settings: Settings) -> int:
    """Run it until it is told to stop.

    Raises:
        CannotBegin: saying why.

    """
    told, at_once = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: at_once.set() if told.is_set() else told.set())
    socket = settings.event_socket
    address = EventSocketAddress(socket.host, socket.port, socket.password)

    def free_switch(handler: CallHandler) -> FreeSwitch:
        return FreeSwitch(FreeSwitchSettings(address, socket.handover, pipes=settings.storage.media_streams), handler)

    try:
        application = Application(settings, AwsClients.of(settings), free_switch)
    except OSError as error:
        raise CannotBegin(str(error)) from error
    try:
        try:
            await application.start()
        except OSError as error:
            raise CannotBegin(str(error)) from error
        _spare_the_collector()
        await told.wait()
        is_drained = await application.life_cycle.drain(at_once)
    finally:
        await application.close()
    logger.info("ended", extra={"is_drained": is_drained})
    return 0 if is_drained else 1


def _spare_the_collector() -> None:
    """Have the garbage collector leave alone what stays, and look at what comes and goes less often.

    What is imported (boto3's models of AWS above all) would be walked again and again; what a call leaves behind is
    freed by its reference counts, but for some fifty objects in cycles (about 5 KB). A look is cheap without what is
    imported, so the older generations are looked at every few times as well: looked at rarely, the cycles of many
    thousand calls would lie about.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 1, 1)


if __name__ == "__main__":
    sys.exit(main())
