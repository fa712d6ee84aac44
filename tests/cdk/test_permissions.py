"""What each function may do: these actions, on these resources, and nothing else."""

from collections.abc import Iterator
from typing import Any

from tests.cdk.conftest import Template

WRITE = {"BatchGetItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "UpdateItem"}


def statements(template: Template, role: str) -> Iterator[dict[str, Any]]:
    """Yield the statements of every policy of a role whose logical id begins so."""
    for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        for policy in template.properties(kind):
            if any(each["Ref"].startswith(role) for each in policy["Roles"]):
                yield from policy["PolicyDocument"]["Statement"]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def granted(template: Template, role: str) -> dict[str, set[str]]:
    """Return the actions that a role may do, by the first word of the resource's text."""
    actions: dict[str, set[str]] = {}
    for statement in statements(template, role):
        assert statement["Effect"] == "Allow"
        for resource in as_list(statement["Resource"]):
            actions.setdefault(str(resource), set()).update(as_list(statement["Action"]))
    return actions


def on(actions: dict[str, set[str]], name: str) -> set[str]:
    """Return the actions on the resources whose text has a name."""
    return {action for resource, allowed in actions.items() if name in resource for action in allowed}


def dynamodb(*names: str) -> set[str]:
    return {f"dynamodb:{name}" for name in names}


def test_the_services_function_may_do_to_each_table_what_it_does(services: Template) -> None:
    actions = granted(services, "ServicesRole")
    for table in ("LoadBalancerTargets", "Domains", "MediaProxies"):
        assert on(actions, f"Tables{table}") == dynamodb(*WRITE, "Scan")
    for table in ("Addresses", "Subscribers"):
        assert on(actions, f"Tables{table}") == dynamodb(*WRITE)
    assert on(actions, "TablesRegistrations") == dynamodb("GetItem", "Query")
    assert on(actions, "TablesRoutingChanges") == dynamodb(
        "ConditionCheckItem", "GetItem", "PutItem", "Query", "UpdateItem"
    )


def test_beyond_tables_the_services_function_may_do_this_and_nothing_else(services: Template) -> None:
    actions = {action for allowed in granted(services, "ServicesRole").values() for action in allowed}
    assert {action for action in actions if not action.startswith("dynamodb:")} == {
        "ec2:DescribeInstances",
        "ecs:DescribeContainerInstances",
        "ecs:DescribeTasks",
        "ecs:ListTasks",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
        "ssm:GetParameter",
    }


def test_the_services_function_reads_one_parameter(services: Template) -> None:
    (statement,) = [each for each in statements(services, "ServicesRole") if each["Action"] == "ssm:GetParameter"]
    assert str(statement["Resource"]).endswith(":parameter/somleng.staging.services_password']]}")


def test_only_what_aws_cannot_narrow_down_is_granted_on_everything_and_then_on_a_condition(services: Template) -> None:
    everywhere = {
        action: statement.get("Condition")
        for role in ("ServicesRole", "S3MpegRole")
        for statement in statements(services, role)
        if "*" in as_list(statement["Resource"])
        for action in as_list(statement["Action"])
    }
    assert set(everywhere) == {"ecs:ListTasks", "ec2:DescribeInstances"}
    assert everywhere["ec2:DescribeInstances"] == {
        "StringEquals": {"aws:RequestedRegion": ["ap-southeast-1", "us-east-1"]}
    }
    clusters = str(everywhere["ecs:ListTasks"])
    assert "cluster/somleng-switch-staging" in clusters
    assert "ap-southeast-1" in clusters
    assert "us-east-1" in clusters


def test_ecs_is_asked_in_every_region_and_about_our_cluster_alone(services: Template) -> None:
    for action, kind in (("ecs:DescribeTasks", "task"), ("ecs:DescribeContainerInstances", "container-instance")):
        (statement,) = [each for each in statements(services, "ServicesRole") if each["Action"] == action]
        resources = [str(resource) for resource in statement["Resource"]]
        assert len(resources) == 2
        for region, resource in zip(("ap-southeast-1", "us-east-1"), resources, strict=True):
            assert f":ecs:{region}:" in resource
            assert f":{kind}/somleng-switch-staging/*" in resource


def test_the_s3_mpeg_function_reads_recordings_and_writes_mp3s(services: Template) -> None:
    actions = granted(services, "S3MpegRole")
    assert on(actions, "/*.wav") == {"s3:GetObject"}
    assert on(actions, "/*.mp3") == {"s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"}
    everything = {action for allowed in actions.values() for action in allowed}
    assert everything == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:AbortMultipartUpload",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:SendMessage",
    }
