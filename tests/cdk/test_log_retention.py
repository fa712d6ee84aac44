"""No log is kept for ever, and none is kept where nobody said for how long."""

from collections.abc import Callable

import pytest

from cdk.context import read_settings
from tests.cdk.conftest import CONTEXT, ENVIRONMENTS, Templates
from tests.cdk.permissions import text

LOGS_OF_THE_CDK = {
    "BucketNotificationsHandler": "sets the bucket's notifications when they change, and writes a few lines then",
    "CustomCrossRegionExportWriterCustomResourceProviderHandler": "writes a line a deployment; the CDK makes it",
    "CustomCrossRegionExportReaderCustomResourceProviderHandler": "reads what the other wrote",
}
"""Functions, by the beginning of their names, that make their log group themselves."""


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_log_group_has_the_settings_retention(synthesise: Callable[[str], Templates], environment: str) -> None:
    days = read_settings({**CONTEXT, "environment": environment}).log_retention_days
    groups = [
        each for template in synthesise(environment).values() for each in template.properties("AWS::Logs::LogGroup")
    ]
    assert groups
    assert {each.get("RetentionInDays") for each in groups} == {days}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_whoever_writes_a_log_writes_it_to_one_of_those(
    synthesise: Callable[[str], Templates], environment: str
) -> None:
    for template in synthesise(environment).values():
        own = {name for name, each in template.content["Resources"].items() if each["Type"] == "AWS::Logs::LogGroup"}
        for name, each in template.content["Resources"].items():
            properties = each.get("Properties", {})
            if each["Type"] == "AWS::Lambda::Function" and not name.startswith(tuple(LOGS_OF_THE_CDK)):
                assert text(properties["LoggingConfig"]["LogGroup"]).strip("<>") in own, name
            if each["Type"] == "AWS::ECS::TaskDefinition":
                for container in properties["ContainerDefinitions"]:
                    options = container["LogConfiguration"]["Options"]
                    assert text(options["awslogs-group"]).strip("<>") in own, name
