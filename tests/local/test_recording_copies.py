"""Recordings are copied from the bucket of what runs."""

import json
import os
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from local.recordings import copy, main
from local.run_directory import RunDirectory
from local.voice.facts import NAME

BUCKET = "recordings"


def test_what_is_recorded_is_copied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        url = "http://{}:{}".format(*server.get_host_and_port())
        environment = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        s3 = boto3.client(
            "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        s3.create_bucket(Bucket=BUCKET)
        facts = {"aws": {"endpoint": url, "environment": environment}, "bucket": BUCKET}
        assert copy(facts, tmp_path / "none") == []
        s3.put_object(Bucket=BUCKET, Key="calls/../a.wav", Body=b"sound")
        run = RunDirectory.create(tmp_path)
        (run.path / NAME).write_text(json.dumps(facts))
        assert main(tmp_path) == 0
        assert (tmp_path / "recordings" / "a.wav").read_bytes() == b"sound"
        assert capsys.readouterr().out == f"{tmp_path}/recordings/a.wav\n"
    finally:
        server.stop()
    assert main(tmp_path) == 1
    assert "the recordings cannot be copied" in capsys.readouterr().err


def test_without_a_run_it_says_how_to_start_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(tmp_path) == 1
    assert "make softphone" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []
