"""When a message was sent: the time that orders jobs about one key.

SQS gives a message that is sent again, out of the dead-letter queue, a new time. What it says is as old as ever; so
whoever sends it again says in a message attribute when it was sent first.
"""

from lambdas.services.errors import InvalidJob

FIRST_SENT_ATTRIBUTE = "FirstSentTimestamp"
"""Name of the message attribute (type Number) of a message that was sent again: milliseconds since the epoch."""


def sent_at(sent_timestamp: str, first_sent: str | None) -> int:
    """Return when a message was sent for the first time, milliseconds since the epoch.

    Args:
        sent_timestamp: SQS's `SentTimestamp`.
        first_sent: the value of the attribute, None where there is none. It can make a message older, never newer.

    Raises:
        InvalidJob: when the attribute is no such time.

    """
    if first_sent is None:
        return int(sent_timestamp)
    if not (first_sent.isascii() and first_sent.isdecimal()):
        raise InvalidJob(f"the message attribute {FIRST_SENT_ATTRIBUTE} is no time in milliseconds")
    return min(int(sent_timestamp), int(first_sent))
