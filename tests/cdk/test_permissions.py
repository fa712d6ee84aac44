"""What each function may do: these actions, on these resources, and nothing else."""

import re
from collections.abc import Callable

import pytest

from tests.cdk.conftest import CONTEXT, ENVIRONMENTS, Template, Templates
from tests.cdk.permissions import as_list, granted, policies, readable, statements, text

CLUSTERS = CONTEXT["settings"]["staging"]["ecsClusterNames"]
WRITE_LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
SEND = {"sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"}
CONSUME = {"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"}
TASK_ROWS = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan"}
MESSAGE_ROWS = {"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"}


def test_the_services_function_may_do_this_and_nothing_else(services: Template) -> None:
    ecs = [f"arn:aws:ecs:{region}:<AWS::AccountId>" for region in ("ap-southeast-1", "us-east-1")]
    assert readable(granted(services, "ServicesRole")) == {
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
        **{f"{arn}:task/{name}/*": {"ecs:DescribeTasks"} for arn in ecs for name in CLUSTERS},
        **{
            f"{arn}:container-instance/{name}/*": {"ecs:DescribeContainerInstances"} for arn in ecs for name in CLUSTERS
        },
    }


def test_the_s3_mpeg_function_may_do_this_and_nothing_else(services: Template) -> None:
    assert readable(granted(services, "S3MpegRole")) == {
        "<S3MpegLog>": WRITE_LOG,
        "<S3MpegS3MpegFailuresQueue>": SEND,
        "<RecordingsBucket>": {"s3:ListBucket"},
        "<RecordingsBucket>/*.wav": {"s3:GetObject"},
        "<RecordingsBucket>/*.mp3": {"s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"},
    }


WITHOUT_RESOURCES = {
    "ecs:ListTasks": "names no resource unless an instance is given; a condition binds it to our clusters",
    "ec2:DescribeInstances": "has no resource level; a condition binds it to our regions",
    "ecs:DiscoverPollEndpoint": "has no resource level; it tells an ECS agent a URL",
    "cloudwatch:GetMetricData": "has no resource level; restricted to the home region by condition",
    "cloudwatch:ListMetrics": "likewise",
    "ec2:DescribeAddresses": "has no resource level; a condition binds it to the region",
    "ecr:GetAuthorizationToken": "has no resource level; pulling an image has",
    "polly:DescribeVoices": "has no resource level",
    "polly:SynthesizeSpeech": "has no resource but lexicons, which are not used",
}
"""What may be done on every resource, and why it cannot be otherwise."""

PATTERNS = {
    r".*<RecordingsBucket\w*>/\*\.(wav|mp3)": "switches name recordings as they make them",
    r"arn:aws:ecs:[a-z0-9-]+:<AWS::AccountId>:(task|container-instance)/[\w-]+/\*": "ECS makes the ids",
    r"arn:aws:ec2:[a-z0-9-]+:<AWS::AccountId>:(elastic-ip|instance)/\*": "EC2 makes the ids; a tag is asked for",
    r"arn:aws:secretsmanager:.*:secret:somleng-switch/\w+/[a-z-]+-\?{6}": "AWS ends a name in six characters",
    r"arn:aws:s3:::somleng-switch-\w+-recordings-<AWS::AccountId>/\*\.wav": "switches name them",
    r"arn:aws:ssm:[a-z0-9-]+:<AWS::AccountId>:parameter/cdk/exports/(\*|[\w-]+/\*)": "the CDK's own, across regions",
    r"arn:aws:ssm:[a-z0-9-]+:<AWS::AccountId>:parameter/somleng-switch/\w+/\*": "what a deployment publishes",
}
"""Which resources are named by a pattern, and why."""


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_wildcard_is_on_the_list(synthesise: Callable[[str], Templates], environment: str) -> None:
    """Of every role of every stack, the CDK's own included."""
    for template in synthesise(environment).values():
        for role, statement in policies(template):
            assert statement["Effect"] == "Allow", role
            assert not {"NotAction", "NotResource"} & set(statement), role
            actions = as_list(statement["Action"])
            assert not [action for action in actions if "*" in action or "?" in action], role
            for resource in [text(each) for each in as_list(statement["Resource"])]:
                if resource == "*":
                    assert set(actions) <= set(WITHOUT_RESOURCES), role
                elif "*" in resource or "?" in resource:
                    assert [each for each in PATTERNS if re.fullmatch(each, resource)], (role, resource)


def test_what_cannot_be_bound_to_a_resource_is_bound_to_our_clusters_and_regions(services: Template) -> None:
    conditions = {str(each["Action"]): each.get("Condition") for each in statements(services, "ServicesRole")}
    assert conditions["ec2:DescribeInstances"] == {
        "StringEquals": {"aws:RequestedRegion": ["ap-southeast-1", "us-east-1"]}
    }
    assert list(conditions["ecs:ListTasks"]) == ["ArnEquals"]
    assert [text(arn) for arn in conditions["ecs:ListTasks"]["ArnEquals"]["ecs:cluster"]] == [
        f"arn:aws:ecs:{region}:<AWS::AccountId>:cluster/{name}"
        for region in ("ap-southeast-1", "us-east-1")
        for name in CLUSTERS
    ]


OF_THE_CDK = ("BucketNotificationsHandler", "CustomCrossRegionExportWriter", "CustomCrossRegionExportReader")
"""Roles of functions that the CDK runs while a stack is deployed."""


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_role_of_ours_has_a_policy_that_aws_manages(
    synthesise: Callable[[str], Templates], environment: str
) -> None:
    for template in synthesise(environment).values():
        for name, resource in template.content["Resources"].items():
            if resource["Type"] != "AWS::IAM::Role":
                continue
            managed = [text(arn) for arn in resource["Properties"].get("ManagedPolicyArns", [])]
            if name.startswith(OF_THE_CDK):
                assert [arn.rpartition("/")[2] for arn in managed] == ["AWSLambdaBasicExecutionRole"], name
            else:
                assert managed == [], name
                assert "Policies" not in resource["Properties"], name


def test_what_is_on_the_lists_is_in_use(synthesise: Callable[[str], Templates]) -> None:
    """Of a list that grows and never shrinks, nobody knows what is still needed."""
    everywhere, resources = set[str](), set[str]()
    for template in synthesise("production").values():
        for _, statement in policies(template):
            named = [text(each) for each in as_list(statement["Resource"])]
            resources.update(named)
            everywhere.update(as_list(statement["Action"]) if "*" in named else [])
    assert everywhere == set(WITHOUT_RESOURCES)
    assert [pattern for pattern in PATTERNS if not any(re.fullmatch(pattern, each) for each in resources)] == []
