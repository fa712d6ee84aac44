"""The services stack: functions, and the events that they run on."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from cdk.application import build
from lambdas.s3_mpeg.settings import Settings as S3MpegSettings
from lambdas.services.settings import Settings as ServicesSettings
from tests.cdk.conftest import CONTEXT, ENVIRONMENTS, Template, Templates


def function(template: Template, handler: str) -> dict[str, Any]:
    (found,) = [
        properties for properties in template.properties("AWS::Lambda::Function") if properties["Handler"] == handler
    ]
    return found


def services_function(template: Template) -> dict[str, Any]:
    return function(template, "lambdas.services.handler.handler")


def s3_mpeg_function(template: Template) -> dict[str, Any]:
    return function(template, "lambdas.s3_mpeg.handler.handler")


def environment_of(function: dict[str, Any]) -> dict[str, str]:
    """Return a function's environment, with a stand-in for each value that is known only once it is deployed."""
    variables = function["Environment"]["Variables"]
    return {name: value if isinstance(value, str) else f"deployed-{name}" for name, value in variables.items()}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_services_function_is_given_every_setting_that_it_reads(
    synthesise: Callable[[str], Templates], environment: str
) -> None:
    given = environment_of(services_function(synthesise(environment)["services"]))
    settings = ServicesSettings.from_environment(given)
    assert [(region.identifier, region.alias, region.group_id) for region in settings.regions.members] == [
        ("ap-southeast-1", "hydrogen", 1),
        ("us-east-1", "helium", 2),
    ]
    assert settings.switch_group == ("service:switch-staging" if environment == "staging" else "service:switch")
    assert settings.switch_ports.sip == (6060 if environment == "staging" else 5060)
    read = set()

    class Noting(dict[str, str]):
        def get(self, name: str, default: Any = None) -> Any:
            read.add(name)
            return super().get(name, default)

        def __getitem__(self, name: str) -> str:
            read.add(name)
            return super().__getitem__(name)

    ServicesSettings.from_environment(Noting(given))
    assert {name for name in given if not name.startswith("POWERTOOLS_")} == read


def test_the_s3_mpeg_function_is_given_every_setting_that_it_reads(services: Template) -> None:
    given = environment_of(s3_mpeg_function(services))
    settings = S3MpegSettings.from_environment(given)
    assert (settings.extension, settings.bit_rate) == (".mp3", 32_000)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_metrics_tell_deployments_apart(synthesise: Callable[[str], Templates], environment: str) -> None:
    template = synthesise(environment)["services"]
    names = [
        environment_of(each)["POWERTOOLS_SERVICE_NAME"]
        for each in (services_function(template), s3_mpeg_function(template))
    ]
    assert names == [f"somleng-switch-{environment}-services", f"somleng-switch-{environment}-s3-mpeg"]


def test_functions_run_on_arm64_and_python_3_13_with_their_layers(services: Template) -> None:
    for each in (services_function(services), s3_mpeg_function(services)):
        assert (each["Runtime"], each["Architectures"]) == ("python3.13", ["arm64"])
        assert len(each["Layers"]) == 1
    for layer in services.properties("AWS::Lambda::LayerVersion"):
        assert (layer["CompatibleRuntimes"], layer["CompatibleArchitectures"]) == (["python3.13"], ["arm64"])


def test_functions_are_of_the_size_that_the_settings_say(services: Template) -> None:
    functions = [services_function(services), s3_mpeg_function(services)]
    assert [(each["MemorySize"], each["Timeout"]) for each in functions] == [(512, 60), (1769, 900)]


def test_every_function_has_a_log_that_does_not_grow_for_ever(services: Template) -> None:
    for each in (services_function(services), s3_mpeg_function(services)):
        group = services.content["Resources"][each["LoggingConfig"]["LogGroup"]["Ref"]]
        assert group["Properties"]["RetentionInDays"] == 30


def test_functions_share_the_account_s_concurrency_unless_some_is_reserved(services: Template, tmp_path: Path) -> None:
    for each in (services_function(services), s3_mpeg_function(services)):
        assert "ReservedConcurrentExecutions" not in each
    app = App(context={**CONTEXT, "environment": "local", "servicesReservedConcurrency": "20"}, outdir=str(tmp_path))
    build(app)
    app.synth()
    path = tmp_path / "somleng-switch-local-services.template.json"
    template = Template(path, json.loads(path.read_text()))
    assert services_function(template)["ReservedConcurrentExecutions"] == 20
    assert "ReservedConcurrentExecutions" not in s3_mpeg_function(template)


def queues(template: Template) -> dict[str, dict[str, Any]]:
    resources = template.content["Resources"]
    return {name: each["Properties"] for name, each in resources.items() if each["Type"] == "AWS::SQS::Queue"}


def test_messages_fail_one_by_one_and_end_in_the_dead_letter_queue(services: Template) -> None:
    (mapping,) = services.properties("AWS::Lambda::EventSourceMapping")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == 10
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 5}
    queue = queues(services)[services.content["Outputs"]["QueueUrl"]["Value"]["Ref"]]
    dead_letters = services.content["Outputs"]["DeadLetterQueueUrl"]["Value"]["Ref"]
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": [dead_letters, "Arn"]},
        "maxReceiveCount": 10,
    }
    assert queue["VisibilityTimeout"] >= 6 * services_function(services)["Timeout"]
    assert "RedrivePolicy" not in queues(services)[dead_letters]


def test_every_queue_is_encrypted_and_keeps_messages_as_long_as_it_can(services: Template) -> None:
    assert len(queues(services)) == 4
    for queue in queues(services).values():
        assert queue["SqsManagedSseEnabled"] is True
        assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_events_that_fail_are_retried_and_then_kept(services: Template) -> None:
    configurations = services.properties("AWS::Lambda::EventInvokeConfig")
    assert len(configurations) == 2
    outputs = services.content["Outputs"]
    failures = {outputs[name]["Value"]["Ref"] for name in ("ServicesFailuresQueueUrl", "S3MpegFailuresQueueUrl")}
    told = {each["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0] for each in configurations}
    assert told == failures
    assert {each["MaximumRetryAttempts"] for each in configurations} == {2}


@pytest.mark.parametrize(
    ("environment", "sources", "suffix", "cluster"),
    [
        ("local", ["aws.ecs", "local.ecs"], "", None),
        ("staging", ["aws.ecs"], "-staging", "somleng-switch-staging"),
        ("production", ["aws.ecs"], "", "somleng-switch"),
    ],
)
def test_tasks_of_the_three_groups_in_our_clusters_are_followed(
    synthesise: Callable[[str], Templates],
    environment: str,
    sources: list[str],
    suffix: str,
    cluster: str | None,
) -> None:
    template = synthesise(environment)["services"]
    (rule,) = [each for each in template.properties("AWS::Events::Rule") if "EventPattern" in each]
    pattern = dict(rule["EventPattern"])
    detail = dict(pattern.pop("detail"))
    assert pattern == {"source": sources, "detail-type": ["ECS Task State Change"]}
    parts = ("", "-public-gateway", "-client-gateway", "-media-proxy")
    followed = [{"suffix": f":cluster/{cluster}{part}"} for part in parts] if cluster else None
    assert detail.pop("clusterArn", None) == followed
    assert detail == {"group": [f"service:{name}{suffix}" for name in ("switch", "media-proxy", "client-gateway")]}
    (target,) = rule["Targets"]
    assert target["Arn"]["Fn::GetAtt"][0].startswith("ServicesFunction")
    assert "InputTransformer" not in target, "the event arrives as it was sent"
    assert "Input" not in target


def test_the_reconcile_runs_every_five_minutes(services: Template) -> None:
    (rule,) = [each for each in services.properties("AWS::Events::Rule") if "ScheduleExpression" in each]
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(5 minutes)", "ENABLED")
    (target,) = rule["Targets"]
    assert target["Arn"]["Fn::GetAtt"][0].startswith("ServicesFunction")


def test_an_event_that_cannot_be_handed_over_is_kept(services: Template) -> None:
    failures = services.content["Outputs"]["ServicesFailuresQueueUrl"]["Value"]["Ref"]
    for rule in services.properties("AWS::Events::Rule"):
        (target,) = rule["Targets"]
        assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": [failures, "Arn"]}}


def test_rules_may_leave_events_in_the_failures_queue_and_nobody_else_may(services: Template) -> None:
    failures = services.content["Outputs"]["ServicesFailuresQueueUrl"]["Value"]["Ref"]
    rules = {name for name, each in services.content["Resources"].items() if each["Type"] == "AWS::Events::Rule"}
    allowed = set()
    for policy in services.properties("AWS::SQS::QueuePolicy"):
        (queue,) = (each["Ref"] for each in policy["Queues"])
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                assert (queue, statement["Action"]) == (failures, "sqs:SendMessage")
                assert statement["Principal"] == {"Service": "events.amazonaws.com"}
                allowed.add(statement["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::GetAtt"][0])
    assert allowed == rules


def test_functions_are_invoked_by_our_rules_and_our_bucket_alone(services: Template) -> None:
    permissions = services.properties("AWS::Lambda::Permission")
    assert sorted(each["Principal"] for each in permissions) == ["events.amazonaws.com"] * 2 + ["s3.amazonaws.com"]
    for permission in permissions:
        assert permission["Action"] == "lambda:InvokeFunction"
        assert permission["SourceArn"]
        if permission["Principal"] == "s3.amazonaws.com":
            assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}, "a bucket's ARN names no account"
            assert "RecordingsBucket" in permission["SourceArn"]["Fn::ImportValue"]


def test_recordings_that_are_wav_files_start_the_conversion_and_nothing_else_does(services: Template) -> None:
    (notifications,) = services.properties("Custom::S3BucketNotifications")
    (configuration,) = notifications["NotificationConfiguration"]["LambdaFunctionConfigurations"]
    assert configuration["Events"] == ["s3:ObjectCreated:*"]
    assert configuration["LambdaFunctionArn"]["Fn::GetAtt"][0].startswith("S3MpegFunction")
    assert configuration["Filter"] == {"Key": {"FilterRules": [{"Name": "suffix", "Value": ".wav"}]}}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_secret_is_in_a_template(synthesise: Callable[[str], Templates], environment: str) -> None:
    """The platform's password is there by the name of its parameter alone, for the function to read when it runs."""
    suspicious = set()
    for template in synthesise(environment).values():
        text = json.dumps(template.content)
        # What one region tells another by the CDK's own parameters: ids of networks and connections.
        assert set(re.findall(r"resolve:ssm[^:]*:/?(\w+/\w+)", text)) <= {"cdk/exports"}
        assert "resolve:secretsmanager" not in text
        assert not [each for each in template.properties("AWS::SSM::Parameter") if each["Type"] != "String"]
        assert not [each for each in template.content.get("Parameters", {}).values() if each.get("NoEcho")]
        for each in template.properties("AWS::Lambda::Function"):
            variables = each.get("Environment", {}).get("Variables", {})
            suspicious |= {
                (name, value)
                for name, value in variables.items()
                if any(word in name for word in ("PASSWORD", "SECRET", "TOKEN", "KEY", "CREDENTIAL"))
            }
    assert suspicious == {("CALL_PLATFORM_PASSWORD_PARAMETER", f"somleng.{environment}.services_password")}
