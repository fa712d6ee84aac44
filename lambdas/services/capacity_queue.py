"""The function's own queue, as a place to leave work for later."""

from typing import TYPE_CHECKING, Protocol

from lambdas.services.jobs import CapacityChange

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsClients(Protocol):
    """Makes the SQS client when it is first needed."""

    @property
    def sqs(self) -> "SQSClient":
        """SQS in the function's own region."""
        ...


class CapacityQueue:
    """Leaves capacity changes in the queue, so that telling the platform has the queue's retries."""

    def __init__(self, clients: SqsClients, queue_url: str) -> None:
        self._clients = clients
        self._queue_url = queue_url

    def put(self, change: CapacityChange) -> None:
        """Ask for the platform to be told of a capacity change."""
        self._clients.sqs.send_message(QueueUrl=self._queue_url, MessageBody=change.to_message())
