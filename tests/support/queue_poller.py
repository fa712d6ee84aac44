"""Hands the messages of an emulated queue to a function, batch by batch, as Lambda's poller does."""

import json
import time
from collections.abc import Callable
from typing import Any

BATCH = 10


class QueuePoller:
    """A queue with its dead-letter queue, and the poller between it and a function.

    A message that failed is visible again at once, so that no test waits for the time that it would be hidden.

    Args:
        sqs: a client.
        url: the queue, which exists.
        maximum_receives: how often a message is handed over until it is a dead letter.
        dead_url: its dead-letter queue; one is made where there is none.

    """

    def __init__(self, sqs: Any, url: str, maximum_receives: int, dead_url: str | None = None) -> None:
        self._sqs, self._url = sqs, url
        self._dead_url = dead_url or sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self._dead_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = {"deadLetterTargetArn": arn, "maxReceiveCount": maximum_receives}
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})

    def send(self, body: str) -> None:
        """Send a message, later than any before it: what was sent in one millisecond has no order."""
        self._sqs.send_message(QueueUrl=self._url, MessageBody=body)
        time.sleep(0.002)

    def send_at_once(self, bodies: list[str]) -> None:
        """Send ten messages at most in one request, all of one time."""
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
        self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)

    def poll(self, function: Callable[[dict[str, Any]], Any]) -> int:
        """Hand one batch over, and return how many messages it had.

        What the function reports as failed comes again, and all of the batch when it raises.
        """
        received = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=BATCH,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
            VisibilityTimeout=600,
        ).get("Messages", [])
        if not received:
            return 0
        try:
            answer = function({"Records": [_record(message) for message in received]})
            failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        except Exception:  # noqa: BLE001 - whatever it is, Lambda takes the batch for failed
            failed = {message["MessageId"] for message in received}
        for message in received:
            handle = {"QueueUrl": self._url, "ReceiptHandle": message["ReceiptHandle"]}
            if message["MessageId"] in failed:
                self._sqs.change_message_visibility(**handle, VisibilityTimeout=0)
            else:
                self._sqs.delete_message(**handle)
        return len(received)

    def dead(self) -> list[str]:
        """Take the bodies of dead letters."""
        bodies: list[str] = []
        while messages := self._sqs.receive_message(QueueUrl=self._dead_url, MaxNumberOfMessages=10).get("Messages"):
            bodies += [message["Body"] for message in messages]
        return bodies


def _record(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {
            name: {"stringValue": value["StringValue"], "dataType": value["DataType"]}
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:ap-southeast-1:123456789012:switch-services",
        "awsRegion": "ap-southeast-1",
    }
