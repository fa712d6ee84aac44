"""What a deployment chooses for its functions, and for the queue and the events that they run on."""

from dataclasses import dataclass

from cdk import limits


@dataclass(frozen=True, slots=True)
class FunctionSize:
    """Memory (MiB; it also buys CPU) and time limit (seconds) of a function.

    `reserved_concurrency` is taken out of the account's concurrency for this function, and is its limit too. None by
    default: a new account has ten executions in all, of which nothing may be reserved.
    """

    memory_megabytes: int
    timeout_seconds: int
    reserved_concurrency: int | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """The services queue: how long a message in work is hidden, and after how many receives it is a dead letter.

    `max_concurrency` bounds how many batches are in work at once (2 to 1000, Lambda's limits): writers meet at the head
    of the change journal, so more of them only retry more. `max_age_seconds` is the age of the oldest message that
    raises the alarm.
    """

    visibility_seconds: int
    max_receives: int
    max_concurrency: int
    batch_size: int
    max_age_seconds: int

    def __post_init__(self) -> None:
        limits.within("queueVisibilitySeconds", self.visibility_seconds, 1, 43_200)
        limits.within("queueMaxReceives", self.max_receives, 1, 1000)
        limits.within("queueMaxConcurrency", self.max_concurrency, 2, 1000)
        limits.within("queueBatchSize", self.batch_size, 1, 10)
        limits.within("queueMaxAgeSeconds", self.max_age_seconds, 60, 1_209_600)


@dataclass(frozen=True, slots=True)
class Events:
    """Asynchronous events: how often and how long a failed one is tried again before it goes to a failures queue."""

    retries: int
    max_age_seconds: int

    def __post_init__(self) -> None:
        limits.within("eventsRetries", self.retries, 0, 2)
        limits.within("eventsMaxAgeSeconds", self.max_age_seconds, 60, 21_600)
