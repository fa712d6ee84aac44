"""What each function may do: these actions, on these resources, and nothing else."""

import re
from collections.abc import Callable

import pytest

from tests.cdk.conftest import ENVIRONMENTS, Template, Templates
from tests.cdk.permissions import as_list, granted, policies, statements, text

WRITE_LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
SEND = {"sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"}
CONSUME = {"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"}
TASK_ROWS = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan"}
MESSAGE_ROWS = {"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"}


def named(actions: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return the same with logical ids as people read them: without the digests that CloudFormation's ids end in."""
    return {re.sub(r"<(\w+?)[0-9A-F]{8}(Arn[0-9A-F]{8})?>", r"<\1>", name): each for name, each in actions.items()}


def test_the_services_function_may_do_this_and_nothing_else(services: Template) -> None:
    ecs = [f"arn:aws:ecs:{region}:<AWS::AccountId>" for region in ("ap-southeast-1", "us-east-1")]
    assert named(granted(services, "ServicesRole")) == {
        "<ServicesLog>": WRITE_LOG,
        "<ServicesServicesFailuresQueue>": SEND,
        "<Queue>": SEND | CONSUME,
        "<TablesLoadBalancerTargets>": TASK_ROWS,
        "<TablesDomains>": TASK_ROWS,
        "<TablesMediaProxies>": TASK_ROWS,
        "<TablesAddresses>": MESSAGE_ROWS,
        "<TablesSubscribers>": MESSAGE_ROWS,
        "<TablesRoutingChanges>": {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
        "<TablesRegistrations>": {"dynamodb:Query"},
        "arn:aws:ssm:ap-southeast-1:<AWS::AccountId>:parameter/somleng.staging.services_password": {"ssm:GetParameter"},
        "*": {"ec2:DescribeInstances", "ecs:ListTasks"},
        **{f"{arn}:task/somleng-switch-staging/*": {"ecs:DescribeTasks"} for arn in ecs},
        **{f"{arn}:container-instance/somleng-switch-staging/*": {"ecs:DescribeContainerInstances"} for arn in ecs},
    }


def test_the_s3_mpeg_function_may_do_this_and_nothing_else(services: Template) -> None:
    assert named(granted(services, "S3MpegRole")) == {
        "<S3MpegLog>": WRITE_LOG,
        "<S3MpegS3MpegFailuresQueue>": SEND,
        "<RecordingsBucket>": {"s3:ListBucket"},
        "<RecordingsBucket>/*.wav": {"s3:GetObject"},
        "<RecordingsBucket>/*.mp3": {"s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"},
    }


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_everything_is_granted_to_nobody_but_by_aws_s_own_limits(
    synthesise: Callable[[str], Templates], environment: str
) -> None:
    """Of every role of every stack, the CDK's own included: no action on every resource but these, on a condition."""
    for template in synthesise(environment).values():
        for role, statement in policies(template):
            assert not [action for action in as_list(statement["Action"]) if "*" in action]
            if "*" in [text(resource) for resource in as_list(statement["Resource"])]:
                assert role.startswith("ServicesRole")
                assert statement["Action"] in ("ecs:ListTasks", "ec2:DescribeInstances")
                assert statement["Condition"]


def test_what_cannot_be_bound_to_a_resource_is_bound_to_our_clusters_and_regions(services: Template) -> None:
    conditions = {str(each["Action"]): each.get("Condition") for each in statements(services, "ServicesRole")}
    assert conditions["ec2:DescribeInstances"] == {
        "StringEquals": {"aws:RequestedRegion": ["ap-southeast-1", "us-east-1"]}
    }
    assert list(conditions["ecs:ListTasks"]) == ["ArnEquals"]
    assert [text(arn) for arn in conditions["ecs:ListTasks"]["ArnEquals"]["ecs:cluster"]] == [
        f"arn:aws:ecs:{region}:<AWS::AccountId>:cluster/somleng-switch-staging"
        for region in ("ap-southeast-1", "us-east-1")
    ]


def test_no_role_of_ours_has_a_policy_that_aws_manages(services: Template) -> None:
    for name, resource in services.content["Resources"].items():
        if resource["Type"] == "AWS::IAM::Role" and not name.startswith("BucketNotificationsHandler"):
            assert "ManagedPolicyArns" not in resource["Properties"], name
            assert "Policies" not in resource["Properties"], name
