"""Alarms: what must not go unseen is told on the topic."""

import json
from typing import Any

from aws_cdk import App

from cdk.application import build
from tests.cdk.conftest import CONTEXT, Template, Templates


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    return {each["AlarmDescription"]: each for each in template.properties("AWS::CloudWatch::Alarm")}


def test_dead_letters_errors_throttles_and_a_queue_that_lags_raise_an_alarm(services: Template) -> None:
    raised = sorted((each["MetricName"], each["Threshold"]) for each in alarms(services).values())
    assert raised == [
        ("ApproximateAgeOfOldestMessage", 900),
        ("ApproximateNumberOfMessagesVisible", 1),
        ("ApproximateNumberOfMessagesVisible", 1),
        ("ApproximateNumberOfMessagesVisible", 1),
        ("Errors", 1),
        ("Errors", 1),
        ("Throttles", 1),
        ("Throttles", 1),
    ]


def test_every_alarm_and_its_end_are_told_on_the_topic(staging: Templates) -> None:
    for name in ("services", "events-us-east-1"):
        template = staging[name]
        (topic,) = [key for key, each in template.content["Resources"].items() if each["Type"] == "AWS::SNS::Topic"]
        assert alarms(template)
        for alarm in alarms(template).values():
            assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]
            assert alarm["TreatMissingData"] == "notBreaching", "nothing happened"
            assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"


def test_alarms_of_this_account_may_publish_on_the_topic_and_nobody_may_without_tls(staging: Templates) -> None:
    """A topic with a policy of its own has lost the default one; an alarm that may not publish says nothing of it."""
    for name in ("services", "events-us-east-1"):
        (policy,) = staging[name].properties("AWS::SNS::TopicPolicy")
        by_effect = {each["Effect"]: each for each in policy["PolicyDocument"]["Statement"]}
        assert by_effect["Allow"]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert by_effect["Allow"]["Action"] == "sns:Publish"
        assert by_effect["Allow"]["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
        assert by_effect["Deny"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_every_dead_letter_queue_has_its_alarm(services: Template) -> None:
    watched = {
        alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0]
        for alarm in alarms(services).values()
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    }
    queues = {name for name, each in services.content["Resources"].items() if each["Type"] == "AWS::SQS::Queue"}
    assert queues - watched == {services.content["Outputs"]["QueueUrl"]["Value"]["Ref"]}


def test_an_address_that_is_given_is_subscribed(tmp_path: Any) -> None:
    context = {**CONTEXT, "environment": "local", "alarmEmail": "noc@example.org"}
    app = App(context=context, outdir=str(tmp_path))
    build(app)
    app.synth()
    template = json.loads((tmp_path / "somleng-switch-local-services.template.json").read_text())
    (subscription,) = [each for each in template["Resources"].values() if each["Type"] == "AWS::SNS::Subscription"]
    assert subscription["Properties"]["Endpoint"] == "noc@example.org"
