"""`make recordings`: copies the recordings of what runs on this machine to where they can be listened to."""

import json
import sys
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.run_directory import HOME, RunDirectory
from local.voice.facts import NAME

FOLDER = "recordings"


def main(home: Path = HOME) -> int:
    """Copy those of every run that goes on; return 1 when there is none, or one could not be copied."""
    runs = [run.path / NAME for run in RunDirectory.all(home) if run.is_looked_after and (run.path / NAME).is_file()]
    if not runs:
        print("nothing runs here that places calls: make softphone", file=sys.stderr)
        return 1
    try:
        files = [file for facts in runs for file in copy(json.loads(facts.read_text()), home / FOLDER)]
    except (ClientError, BotoCoreError, OSError) as error:
        print(f"the recordings cannot be copied: {error}", file=sys.stderr)
        return 1
    print("\n".join(map(str, files)) if files else "nothing is recorded yet")
    return 0


def copy(facts: dict[str, Any], directory: Path) -> list[Path]:
    """Copy the recordings that a run's bucket has, the oldest first, and return the files."""
    environment = facts["aws"]["environment"]
    s3 = boto3.client(
        "s3",
        endpoint_url=facts["aws"]["endpoint"],
        region_name=environment["AWS_DEFAULT_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=facts["bucket"])
    objects = [each for page in pages for each in page.get("Contents", [])]
    files = []
    for found in sorted(objects, key=lambda each: each["LastModified"]):
        file = directory / Path(found["Key"]).name
        directory.mkdir(parents=True, exist_ok=True)
        s3.download_file(facts["bucket"], found["Key"], str(file))
        files.append(file)
    return files


if __name__ == "__main__":
    sys.exit(main())
