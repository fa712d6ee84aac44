"""Builds the events in which Lambda hands over messages of the queue."""

import json
from typing import Any

DIGESTS = {
    "md5_password": "e4e073a5123b081c2282fc4846c85c62",
    "sha256_password": "0c09363da899fa201ed5896eeb41ca99ea15290e0c439e4f19b78e05000f7b2b",
    "sha512_password": "e559890001280978339003dc204fcd4d722c3908eea55493d5443906e15d084d",
}
"""Of `user1:somleng.org:password`."""


def job(job_class: str, *job_args: Any) -> str:
    return json.dumps({"job_class": job_class, "job_args": list(job_args)})


def queue_event(*bodies: str, sent_at: list[int] | None = None) -> dict[str, Any]:
    """Return an event of one message a body, with message ids m0, m1, …; `sent_at` in milliseconds since the epoch."""
    times = sent_at or [1_772_877_600_000 + index for index in range(len(bodies))]
    return {
        "Records": [
            {
                "messageId": f"m{index}",
                "receiptHandle": "handle",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": str(times[index]),
                    "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                    "ApproximateFirstReceiveTimestamp": str(times[index] + 5),
                },
                "messageAttributes": {},
                "md5OfBody": "unchecked",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:ap-southeast-1:123456789012:switch-services",
                "awsRegion": "ap-southeast-1",
            }
            for index, body in enumerate(bodies)
        ]
    }


def failed(response: dict[str, Any]) -> list[str]:
    """Return the ids of the messages that a response reports as failed."""
    return sorted(failure["itemIdentifier"] for failure in response["batchItemFailures"])
