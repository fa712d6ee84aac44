"""A batch of the queue: each message succeeds or fails by itself."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from lambdas.services.jobs import Job, parse_job
from lambdas.services.metrics import MESSAGES_DONE, MESSAGES_FAILED
from lambdas.services.sent_time import FIRST_SENT_ATTRIBUTE, sent_at
from lambdas.services.workflows.handle_jobs import HandleJobs


def handle_queue_batch(
    records: Sequence[dict[str, Any]],
    handle_jobs: HandleJobs,
    seconds_left: Callable[[], float],
    logger: Logger,
    metrics: Metrics,
) -> PartialItemFailureResponse:
    """Work off the messages and return which failed, for SQS to deliver again.

    Messages are read one by one, so that one that cannot be read fails alone; the rest is handed over together, so
    that their rows share transactions.
    """
    # A message without SentTimestamp can only come from a test or by hand; its place in the batch orders it.
    arrived = time.time_ns() // 1_000_000
    arrivals = iter(range(arrived, arrived + len(records)))

    def parse(record: SQSRecord) -> Job:
        arrived_at = next(arrivals)
        sent_timestamp = (record.raw_event.get("attributes") or {}).get("SentTimestamp") or str(arrived_at)
        first_sent = (record.raw_event.get("messageAttributes") or {}).get(FIRST_SENT_ATTRIBUTE) or {}
        return parse_job(record.raw_event.get("body"), sent_at(sent_timestamp, first_sent.get("stringValue")))

    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    with processor(list(records), handler=parse):
        parsed = [(result, record) for status, result, record in processor.process() if status == "success"]
        for index, error in handle_jobs.call([job for job, _ in parsed], seconds_left).items():
            processor.failure_handler(SQSRecord(parsed[index][1]), (type(error), error, error.__traceback__))
        for record, (_, failure, _) in zip(processor.fail_messages, processor.exceptions, strict=True):
            # The message's body stays out of the log: it may hold credentials.
            logger.error(
                "message failed",
                message_id=record.raw_event.get("messageId") if isinstance(record, SQSRecord) else None,
                error_type=type(failure).__name__,
                reason=str(failure),
            )
        metrics.add_metric(MESSAGES_DONE, MetricUnit.Count, len(records) - len(processor.fail_messages))
        metrics.add_metric(MESSAGES_FAILED, MetricUnit.Count, len(processor.fail_messages))
    return processor.response()
