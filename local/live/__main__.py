"""Serves the page of a running system: `python -m local.live sources.json`."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from local.live.clients import Clients
from local.live.model import Model
from local.live.server import LiveServer
from local.live.sources import Sources
from local.live.sources_file import SourcesFile
from local.live.watch import Watch

EX_CONFIG = 78


def main() -> int:
    """Serve until told to stop; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.live", description=__doc__)
    parser.add_argument("sources", type=Path, help="a file that `Sources.write` wrote")
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; one that is free, if it is left out")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    try:
        file = SourcesFile(arguments.sources)
        sources = file.read()
    except (OSError, ValueError) as error:
        print(f"local.live: {error}", file=sys.stderr)
        return EX_CONFIG
    return asyncio.run(_serve(file, sources, arguments.port))


async def _serve(file: SourcesFile, sources: Sources, port: int) -> int:
    model = Model()
    watch = Watch(sources, Clients.of(sources), model, file.changed)
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    try:
        async with LiveServer(model, watch, port) as server:
            print(f"the page is at {server.url}", flush=True)
            waits = [asyncio.ensure_future(told.wait()), asyncio.ensure_future(server.wait())]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
    except OSError as error:
        print(f"local.live: port {port} cannot be used: {error}", file=sys.stderr)
        return EX_CONFIG
    return 0


if __name__ == "__main__":
    sys.exit(main())
