"""The queue that messages end in which nobody could handle."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.constructs.alarms import Alarms
from cdk.nag import acknowledge
from cdk.runbooks import Runbook


class DeadLetters(Construct):
    """An encrypted queue that keeps messages as long as SQS can, and the alarm that says that one has come."""

    def __init__(self, scope: Construct, construct_id: str, *, alarms: Alarms, what: str, runbook: Runbook) -> None:
        """Make the queue; `what` says in the alarm whose messages these are, `runbook` what to do about them."""
        super().__init__(scope, construct_id)
        self.queue = sqs.Queue(
            self,
            "Queue",
            retention_period=Duration.days(14),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
        alarms.add(
            construct_id,
            self.queue.metric_approximate_number_of_messages_visible(period=Duration.minutes(1), statistic="Maximum"),
            threshold=1,
            meaning=f"{what} could not be handled and wait in {construct_id}",
            runbook=runbook,
        )
        acknowledge(self.queue, "AwsSolutions-SQS3", "This queue is a dead-letter queue itself.")
