"""Alarms, and the topic that they are told on."""

from enum import StrEnum

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from cdk.runbooks import Runbook


class Silence(StrEnum):
    """What it means that a metric has no value for a while; the values are CloudWatch's words for what follows."""

    NOTHING_HAPPENED = "notBreaching"
    """Of what is counted when it happens: all is well."""
    NOBODY_IS_THERE = "breaching"
    """Of what is told all the time: whoever tells it is gone."""
    UNKNOWN = "ignore"
    """Of what AWS measures and can be late with: the alarm stays as it is."""


class Alarms(Construct):
    """A topic, and alarms that publish on it; with an e-mail address, it is subscribed.

    The topic is not encrypted with a KMS key: an alarm says a metric's name and its number, and nothing of a call;
    and CloudWatch can publish only with a customer-managed key, which costs more than all of this stack at rest.

    Attributes:
        topic: the topic. A stack of the same region that has alarms of its own is given it, so that an operator
            confirms one subscription a region.
        raised: the alarms that were added.

    """

    def __init__(
        self, scope: Construct, construct_id: str, *, email: str | None = None, topic: sns.ITopic | None = None
    ) -> None:
        """Make the topic, or take one that there is; whose subscriptions are its own stack's."""
        super().__init__(scope, construct_id)
        self.raised: list[cloudwatch.IAlarm] = []
        self.topic: sns.ITopic = self._topic(email) if topic is None else topic

    def _topic(self, email: str | None) -> sns.Topic:
        topic = sns.Topic(self, "Topic", enforce_ssl=True)
        # A topic with a policy of its own loses the default one, by which the account's alarms may publish.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
        if email:
            topic.add_subscription(subscriptions.EmailSubscription(email))
        return topic

    def add(
        self,
        construct_id: str,
        metric: cloudwatch.IMetric,
        *,
        threshold: float,
        meaning: str,
        runbook: Runbook,
        silence: Silence = Silence.NOTHING_HAPPENED,
        below: bool = False,
        periods: int = 1,
        of: int | None = None,
    ) -> None:
        """Alarm when the metric reaches the threshold; its end is told, too.

        Parameters:
            construct_id: the alarm's name in the tree, in CloudWatch's name of it, and in `docs/alarms.md`.
            metric: with the period and the statistic that are compared.
            threshold: the value from which on it alarms.
            meaning: what is wrong, in one sentence without a stop.
            runbook: where it stands what to do.
            silence: what no data means.
            below: whether it alarms below the threshold, and not at it and above.
            periods: in how many periods the threshold is reached before it alarms.
            of: out of how many; as many, unless it is said.

        """
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            metric=metric,
            threshold=threshold,
            evaluation_periods=of or periods,
            datapoints_to_alarm=periods,
            comparison_operator=(
                cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
                if below
                else cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
            ),
            treat_missing_data=_TREATMENTS[silence],
            alarm_description=f"{meaning}. Runbook: {runbook}",
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        alarm.add_ok_action(actions.SnsAction(self.topic))
        self.raised.append(alarm)


_TREATMENTS = {
    Silence.NOTHING_HAPPENED: cloudwatch.TreatMissingData.NOT_BREACHING,
    Silence.NOBODY_IS_THERE: cloudwatch.TreatMissingData.BREACHING,
    Silence.UNKNOWN: cloudwatch.TreatMissingData.IGNORE,
}
