"""Delivers call data records to a platform of the tests, as the sidecar of FreeSWITCH does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from freeswitch_event_logger.call_data_records import CallDataRecords
from switch_app.backoff import Backoff
from switch_app.call_platform.api import Api
from switch_app.call_platform.client import PlatformClient
from switch_app.call_platform.password import FixedPassword
from tests.fakes.call_platform import CallPlatform


@asynccontextmanager
async def delivered(directory: Path, platform: CallPlatform) -> AsyncIterator[CallDataRecords]:
    """Deliver what is in a directory and what comes there."""
    api = Api(platform.url, platform.username, FixedPassword(platform.password), attempts=1)
    records = CallDataRecords(directory, PlatformClient(api), pause=0.05, backoff=Backoff(0.1, 0.5))
    task = asyncio.create_task(records.run())
    try:
        yield records
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await records.close()
        await api.close()
