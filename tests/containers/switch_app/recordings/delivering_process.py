"""A process that delivers recordings until it is killed: directory, bucket, platform; then the recordings' sids."""

import asyncio
import sys
from pathlib import Path

import boto3
from botocore.config import Config

from switch_app.backoff import Backoff
from switch_app.call_platform.api import Api
from switch_app.call_platform.client import PlatformClient
from switch_app.call_platform.password import FixedPassword
from switch_app.recordings.bucket import RecordingsBucket
from switch_app.recordings.spool import RecordingSpool
from switch_app.services import RecordingReference


async def deliver(directory: Path, bucket_url: str, platform_url: str, sids: list[str]) -> None:
    """Go on with what is left, deliver a file for each sid, and wait until all have arrived."""
    config = Config(request_checksum_calculation="when_required", s3={"addressing_style": "path"})
    client = boto3.client("s3", region_name="ap-southeast-1", endpoint_url=bucket_url, config=config)
    api = Api(platform_url, "services", FixedPassword("password"))
    bucket = RecordingsBucket(client, "recordings", "ap-southeast-1")
    spool = RecordingSpool(directory, bucket, PlatformClient(api), backoff=Backoff(0.01, 0.05))
    await spool.start()
    print("started", flush=True)
    await asyncio.to_thread(sys.stdin.readline)  # the files are another program's: it says when they are there
    for sid in sids:
        await spool.deliver(directory / f"{sid}-1.wav", RecordingReference(sid, f"https://example.com/{sid}"))
        print("delivered", flush=True)
    await spool.close(20)
    await api.close()


if __name__ == "__main__":
    asyncio.run(deliver(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]))
