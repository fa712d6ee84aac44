"""The stack of each region that is not the home region."""

from collections.abc import Callable

from tests.cdk.conftest import Template, Templates


def test_each_other_region_has_one_and_the_emulator_none(synthesise: Callable[[str], Templates]) -> None:
    assert [name for name in synthesise("production") if "events" in name] == ["events-us-east-1"]
    assert sorted(synthesise("local")) == ["data", "services"]


def test_task_events_go_to_the_home_regions_bus(staging: Templates) -> None:
    (rule,) = staging["events-us-east-1"].properties("AWS::Events::Rule")
    (home_rule,) = [each for each in staging["services"].properties("AWS::Events::Rule") if "EventPattern" in each]
    assert rule["EventPattern"] == home_rule["EventPattern"], "the home region's rule must match what arrives there"
    (target,) = rule["Targets"]
    assert ":events:ap-southeast-1:" in str(target["Arn"])
    assert "event-bus/default" in str(target["Arn"])


def test_the_rule_may_put_events_on_that_bus_and_nothing_else(staging: Templates) -> None:
    template: Template = staging["events-us-east-1"]
    (policy,) = template.properties("AWS::IAM::Policy")
    (statement,) = policy["PolicyDocument"]["Statement"]
    (target,) = template.properties("AWS::Events::Rule")[0]["Targets"]
    assert (statement["Action"], statement["Resource"]) == ("events:PutEvents", target["Arn"])
    assert target["RoleArn"]["Fn::GetAtt"][0] == policy["Roles"][0]["Ref"]


def test_an_event_that_cannot_be_delivered_waits_in_a_queue_with_an_alarm(staging: Templates) -> None:
    template = staging["events-us-east-1"]
    (queue,) = [name for name, each in template.content["Resources"].items() if each["Type"] == "AWS::SQS::Queue"]
    (target,) = template.properties("AWS::Events::Rule")[0]["Targets"]
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": [queue, "Arn"]}}
    (alarm,) = template.properties("AWS::CloudWatch::Alarm")
    assert alarm["Dimensions"][0]["Value"] == {"Fn::GetAtt": [queue, "QueueName"]}
