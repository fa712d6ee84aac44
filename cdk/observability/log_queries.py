"""Questions to the logs that an operator asks again and again, kept in CloudWatch Logs Insights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.settings import Settings


@dataclass(frozen=True, slots=True)
class LogQuery:
    """A question.

    Attributes:
        name: what it is called in Logs Insights.
        lines: of the query.

    """

    name: str
    lines: Sequence[str]


QUERIES: Final = (
    LogQuery(
        "call by sid",
        (
            "# Put the sid, or the Call-ID that the app's line 'call is handed over' has as sip_call_id, for CALL.",
            "# Gateways know a call by its Call-ID alone.",
            "fields @timestamp, @log, message, event, verb, cause, reason, level, @message",
            '| filter @message like "CALL"',
            "| sort @timestamp asc",
            "| limit 1000",
        ),
    ),
    LogQuery(
        "errors by container",
        (
            'filter level = "ERROR" or level = "CRITICAL" or @message like /(?i)\\b(error|critical):/',
            "| stats count(*) as errors, latest(reason) as last_reason by @log, message",
            "| sort errors desc",
            "| limit 100",
        ),
    ),
    LogQuery(
        "refused calls",
        (
            "fields @timestamp, @log, message, reason, @message",
            "| filter @message like /call refused|call is not taken|no media proxy takes the offer/",
            "| sort @timestamp desc",
            "| limit 500",
        ),
    ),
    LogQuery(
        "slow customer TwiML",
        (
            'filter message = "document fetched" and milliseconds >= 1000',
            "| fields @timestamp, call_sid, milliseconds",
            "| sort milliseconds desc",
            "| limit 100",
        ),
    ),
)


def add_log_queries(scope: Construct, *, settings: Settings, groups: Mapping[str, logs.ILogGroup]) -> None:
    """Keep the questions, each to all of these log groups; each is in the folder of the deployment's name."""
    for query in QUERIES:
        logs.CfnQueryDefinition(
            scope,
            f"Query{query.name.title().replace(' ', '')}",
            name=f"somleng-switch-{settings.environment}/{query.name}",
            query_string="\n".join(query.lines),
            log_group_names=[group.log_group_name for group in groups.values()],
        )
