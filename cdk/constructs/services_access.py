"""What the services function may do with data: action by action, table by table."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from cdk.constructs.ecs_read_access import EcsReadAccess
from cdk.constructs.routing_tables import (
    ADDRESSES,
    DOMAINS,
    LOAD_BALANCER_TARGETS,
    MEDIA_PROXIES,
    REGISTRATIONS,
    ROUTING_CHANGES,
    SUBSCRIBERS,
    RoutingTables,
)
from cdk.settings import Settings

_TASK_ROWS = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan")
_MESSAGE_ROWS = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem")

# A transaction takes the right to each action in it. The tests hold this list to what the function is seen to do.
_ACTIONS = {
    # A row made from a task is never deleted, but overwritten by its tombstone. The rows of a task are found by reading
    # these small tables whole: by then the task may be gone from ECS.
    LOAD_BALANCER_TARGETS: _TASK_ROWS,
    DOMAINS: _TASK_ROWS,
    MEDIA_PROXIES: _TASK_ROWS,
    ADDRESSES: _MESSAGE_ROWS,
    SUBSCRIBERS: _MESSAGE_ROWS,
    # The journal is appended to, and its head moved; what is in it goes by its expiry alone.
    ROUTING_CHANGES: ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
    REGISTRATIONS: ("dynamodb:Query",),
}


def grant_services_access(
    function: lambda_.Function, *, settings: Settings, tables: RoutingTables, queue: sqs.Queue
) -> None:
    """Grant the services function its tables, its queue, the platform's password and a look at ECS."""
    for shape, actions in _ACTIONS.items():
        tables[shape].grant(function, *actions)
    queue.grant(function, "sqs:SendMessage")
    stack = Stack.of(function)
    function.add_to_role_policy(
        iam.PolicyStatement(
            sid="ReadPlatformPassword",
            actions=["ssm:GetParameter"],
            resources=[
                stack.format_arn(
                    service="ssm",
                    resource="parameter",
                    resource_name=settings.call_platform.password_parameter.lstrip("/"),
                )
            ],
        )
    )
    if function.role is None:
        raise TypeError("the services function has no role")
    EcsReadAccess(function, "EcsReadAccess", settings=settings, role=function.role)
