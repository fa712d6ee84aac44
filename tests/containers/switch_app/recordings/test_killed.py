"""Recordings outlive a process that is killed, whatever it was doing."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.containers.switch_app.recordings.wav_files import tone, write_wav
from tests.fakes.call_platform import CallPlatform
from tests.fakes.recordings_bucket import RecordingsBucketServer
from tests.support.services_environment import AWS

ROOT = Path(__file__).parents[4]
COUNT = 4


def begin(
    directory: Path, bucket: RecordingsBucketServer, platform: CallPlatform, *sids: str
) -> "subprocess.Popen[str]":
    script = Path(__file__).with_name("delivering_process.py")
    environment = {**os.environ, **AWS, "PYTHONPATH": str(ROOT / "containers" / "switch_app")}
    command = [sys.executable, str(script), str(directory), bucket.url, platform.url, *sids]
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("milliseconds", [0, 15, 40, 90])
def test_every_recording_that_was_handed_over_arrives_whole(tmp_path: Path, milliseconds: int) -> None:
    with RecordingsBucketServer() as bucket, CallPlatform("services", "password") as platform:
        bucket.delay = platform.delay = 0.02
        platform.add_call("call")
        sids = [f"sid-{number}" for number in range(COUNT)]
        contents = {}
        for sid in sids:
            platform.recordings[sid] = {"phone_call_id": "call"}
            contents[f"{sid}-1.wav"] = write_wav(tmp_path / f"{sid}-1.wav", tone(0.5)).read_bytes()
            # Known to nobody until it is handed over; it comes to the directory as FreeSWITCH writes it.
            (tmp_path / f"{sid}-1.wav").rename(tmp_path / f"{sid}-1.later")
        first = begin(tmp_path, bucket, platform, *sids)
        assert first.stdout is not None
        assert first.stdin is not None
        assert first.stdout.readline() == "started\n"
        for sid in sids:
            (tmp_path / f"{sid}-1.later").rename(tmp_path / f"{sid}-1.wav")
        first.stdin.write("\n")
        first.stdin.flush()
        handed_over = sum(first.stdout.readline() == "delivered\n" for _ in sids)
        time.sleep(milliseconds / 1000)
        first.kill()
        first.wait(10)
        first.stdin.close()
        first.stdout.close()
        again = begin(tmp_path, bucket, platform)
        again.communicate("\n", timeout=30)
        assert again.returncode == 0
        assert handed_over == COUNT
        assert bucket.objects == contents
        assert all(platform.recordings[sid]["external_id"] == f"{sid}-1" for sid in sids)
        assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []
        assert list((tmp_path / "dead").iterdir()) == []
