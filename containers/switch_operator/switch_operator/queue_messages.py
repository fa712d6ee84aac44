"""Looks through a queue whose messages wait for a person: dead letters, and events that functions failed on.

SQS lists nothing: to see a message is to receive it, which hides it from others for a while. Whoever looks makes it
visible again, and if the look is broken off, it is visible by itself after `HIDDEN_SECONDS`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

HIDDEN_SECONDS: Final = 300
"""Longer than a person needs to say yes."""

_BATCH: Final = 10
_LOOKED_AT_MAXIMUM: Final = 1_000
_LONG_POLL_SECONDS: Final = 1
"""A short poll asks some of SQS's servers alone, and may find nothing where something is."""


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """A message that is hidden while it is looked at.

    Attributes:
        message_id: the same in the queue that it failed in.
        receipt: by which it is removed or made visible again.
        body: never shown as it is: it may hold digests.
        sent_timestamp: SQS's time of its sending, milliseconds since the epoch.
        receives: how often it was received, this look included.
        attributes: its message attributes, as the API has them.

    """

    message_id: str
    receipt: str
    body: str
    sent_timestamp: str
    receives: int
    attributes: dict[str, Any]

    def attribute(self, name: str) -> str | None:
        """Return the value of a message attribute, None where it has none of that name."""
        value = self.attributes.get(name, {}).get("StringValue")
        return None if value is None else str(value)


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """How many messages a queue has, about: those that wait, and those that somebody looks at or works on."""

    waiting: int
    hidden: int


class MessageQueue:
    """A queue.

    Args:
        sqs: a client.
        url: the queue's.

    """

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs, self._url = sqs, url

    def counts(self) -> QueueCounts:
        """Return how many messages there are; SQS knows it about."""
        answer = self._sqs.get_queue_attributes(
            QueueUrl=self._url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
        attributes: Any = answer["Attributes"]
        return QueueCounts(
            int(attributes["ApproximateNumberOfMessages"]), int(attributes["ApproximateNumberOfMessagesNotVisible"])
        )

    @contextmanager
    def looked_through(self) -> Iterator[list[QueueMessage]]:
        """Hide every message for a while and return them, the oldest first; those that are left are visible again then.

        At most `_LOOKED_AT_MAXIMUM` are taken.
        """
        taken: dict[str, QueueMessage] = {}
        try:
            self._take_all(taken)
            yield sorted(taken.values(), key=lambda message: (message.sent_timestamp, message.message_id))
        finally:
            self._release(list(taken.values()))

    def remove(self, message: QueueMessage) -> None:
        """Remove a message for good."""
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)

    def send(self, body: str, attributes: dict[str, Any]) -> str:
        """Send a message and return its id."""
        return self._sqs.send_message(QueueUrl=self._url, MessageBody=body, MessageAttributes=attributes)["MessageId"]

    def _take_all(self, taken: dict[str, QueueMessage]) -> None:
        expected = self.counts().waiting
        while len(taken) < _LOOKED_AT_MAXIMUM:
            answer = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=_BATCH,
                VisibilityTimeout=HIDDEN_SECONDS,
                WaitTimeSeconds=_LONG_POLL_SECONDS if len(taken) < expected else 0,
                MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
                MessageAttributeNames=["All"],
            )
            messages = answer.get("Messages", [])
            if not messages:
                return
            for message in messages:
                system: Any = message["Attributes"]
                taken[message["MessageId"]] = QueueMessage(
                    message["MessageId"],
                    message["ReceiptHandle"],
                    message["Body"],
                    str(system["SentTimestamp"]),
                    int(system["ApproximateReceiveCount"]),
                    dict(message.get("MessageAttributes", {})),
                )

    def _release(self, messages: Sequence[QueueMessage]) -> None:
        for start in range(0, len(messages), _BATCH):
            entries: Any = [
                {"Id": str(number), "ReceiptHandle": message.receipt, "VisibilityTimeout": 0}
                for number, message in enumerate(messages[start : start + _BATCH])
            ]
            # A message that was removed meanwhile fails here alone, and need not be released.
            self._sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
