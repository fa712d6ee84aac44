"""The right to ask ECS and EC2 what runs where, in every region."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.nag import acknowledge, as_reported
from cdk.settings import Settings


class EcsReadAccess(iam.ManagedPolicy):
    """A policy for a role: list and describe the tasks of our clusters, and find the addresses of their instances."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, role: iam.IRole) -> None:
        stack = Stack.of(scope)

        def arns(kind: str, suffix: str = "") -> list[str]:
            return [
                stack.format_arn(
                    service="ecs", region=region.identifier, resource=kind, resource_name=f"{cluster}{suffix}"
                )
                for region in settings.regions
                for cluster in settings.ecs.cluster_names
            ]

        super().__init__(
            scope,
            construct_id,
            roles=[role],
            statements=[
                iam.PolicyStatement(
                    sid="ListTasks",
                    actions=["ecs:ListTasks"],
                    resources=["*"],
                    conditions={"ArnEquals": {"ecs:cluster": arns("cluster")}},
                ),
                iam.PolicyStatement(sid="DescribeTasks", actions=["ecs:DescribeTasks"], resources=arns("task", "/*")),
                iam.PolicyStatement(
                    sid="DescribeContainerInstances",
                    actions=["ecs:DescribeContainerInstances"],
                    resources=arns("container-instance", "/*"),
                ),
                iam.PolicyStatement(
                    sid="DescribeInstances",
                    actions=["ec2:DescribeInstances"],
                    resources=["*"],
                    conditions={
                        "StringEquals": {"aws:RequestedRegion": [region.identifier for region in settings.regions]}
                    },
                ),
            ],
        )
        acknowledge(
            self,
            "AwsSolutions-IAM5[Resource::*]",
            "ecs:ListTasks names no resource unless a container instance is given, and is restricted to our clusters "
            "by condition; ec2:DescribeInstances has no resource level, and is restricted to our regions by condition.",
        )
        for arn in (*arns("task", "/*"), *arns("container-instance", "/*")):
            acknowledge(
                self,
                f"AwsSolutions-IAM5[Resource::{as_reported(arn)}]",
                "ECS makes the ids of tasks and container instances as they start; the ARN is bound to one cluster.",
            )
