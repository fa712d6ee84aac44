"""Jobs that failed again and again: what each would do now, and which may be sent again.

Each job became true when it was sent. The order items of the tables remember, for as long as SQS keeps a message, what
was sent later (`docs/routing-tables.md`); so whether a dead letter is of the past is not guessed: the very change that
the services function would make of it is tried on what is stored now.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from lambdas.services.errors import InvalidJob
from lambdas.services.jobs import CapacityChange, Job, parse_job
from lambdas.services.sent_time import FIRST_SENT_ATTRIBUTE, sent_at
from routing import (
    DeleteAddress,
    DeleteSubscriber,
    PutAddress,
    PutSubscriber,
    RoutingRepository,
    SetAddressGroup,
    Stored,
)
from switch_operator.queue_messages import MessageQueue, QueueMessage


class Effect(Enum):
    """What a dead letter would come to, were it worked off now with the time at which it was sent."""

    CHANGES = "would change the row"
    AS_IT_IS = "the row is as it says already"
    PAST = "of the past: something that was sent later decided otherwise"
    COUNTS = "has the capacity counted anew"
    MALFORMED = "cannot be worked off, whatever is done"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A job that failed.

    Attributes:
        message: the message that holds it.
        job: what it asks for; None for a malformed one.
        problem: why it is malformed.
        sent: when it was sent for the first time, milliseconds since the epoch.

    """

    message: QueueMessage
    job: Job | None
    problem: str | None
    sent: int

    @property
    def job_class(self) -> str:
        """Its class, for people."""
        return "malformed" if self.job is None else _NAMES[type(self.job)]

    @property
    def key(self) -> str | None:
        """What it is about: an address, a user name, a region."""
        if self.job is None:
            return None
        return f"{self.job.region} {self.job.family}" if isinstance(self.job, CapacityChange) else self.job.key


_NAMES: Final[dict[type[Any], str]] = {
    PutAddress: "CreateOpenSIPSPermissionJob",
    SetAddressGroup: "UpdateOpenSIPSPermissionJob",
    DeleteAddress: "DeleteOpenSIPSPermissionJob",
    PutSubscriber: "CreateOpenSIPSSubscriberJob",
    DeleteSubscriber: "DeleteOpenSIPSSubscriberJob",
    CapacityChange: "NotifySwitchCapacityChangeJob",
}


def read(message: QueueMessage) -> DeadLetter:
    """Read a message; nothing of a malformed one is repeated, for it may hold credentials."""
    try:
        sent = sent_at(message.sent_timestamp, message.attribute(FIRST_SENT_ATTRIBUTE))
        return DeadLetter(message, parse_job(message.body, sent), None, sent)
    except InvalidJob as error:
        return DeadLetter(message, None, str(error), int(message.sent_timestamp))


def effect(letter: DeadLetter, repository: RoutingRepository, now: float) -> Effect:
    """Return what a letter would come to at `now` (seconds since the epoch)."""
    job = letter.job
    if job is None:
        return Effect.MALFORMED
    if isinstance(job, CapacityChange):
        return Effect.COUNTS
    stored = repository.stored(job.table, job.key)
    if job.apply(stored, int(now)).row != stored.row:
        return Effect.CHANGES
    return Effect.AS_IT_IS if _is_so(job, stored) else Effect.PAST


def _is_so(job: Any, stored: Stored) -> bool:
    match job:
        case PutAddress():
            return stored.row == job.address.to_item()
        case PutSubscriber():
            return stored.row == job.subscriber.to_item()
        case SetAddressGroup():
            return stored.row is not None and stored.row.get("group_id") == job.group_id
        case _:
            return stored.row is None


def send_again(letter: DeadLetter, queue: MessageQueue, *, as_new: bool) -> str:
    """Send a letter's job to the queue and return the new message's id.

    It keeps the time at which it was sent first, and so wins over nothing that was sent later; `as_new` has it count as
    sent now.
    """
    attributes = {name: value for name, value in letter.message.attributes.items() if name != FIRST_SENT_ATTRIBUTE}
    if not as_new:
        attributes[FIRST_SENT_ATTRIBUTE] = {"DataType": "Number", "StringValue": str(letter.sent)}
    return queue.send(letter.message.body, attributes)
