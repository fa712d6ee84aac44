"""What an EC2 instance may do that ECS runs tasks on."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.nag import acknowledge, as_reported


class InstanceRole(iam.Role):
    """The role of the ECS agent of one cluster's instances: to join it, to get tasks, and to tell what becomes of them.

    AWS's own policy for it reaches every cluster of the account, and makes clusters. Images and logs are not in it:
    a task brings a role of its own for these.
    """

    def __init__(self, scope: Construct, construct_id: str, *, cluster: str) -> None:
        """Make the role; `cluster` is the cluster's name."""
        super().__init__(scope, construct_id, assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
        stack = Stack.of(self)
        cluster_arn = stack.format_arn(service="ecs", resource="cluster", resource_name=cluster)
        instances = stack.format_arn(service="ecs", resource="container-instance", resource_name=f"{cluster}/*")
        for sid, actions, resources in (
            ("FindAgentEndpoint", ["ecs:DiscoverPollEndpoint"], ["*"]),
            (
                "JoinCluster",
                [
                    "ecs:RegisterContainerInstance",
                    "ecs:DeregisterContainerInstance",
                    "ecs:SubmitAttachmentStateChanges",
                    "ecs:SubmitContainerStateChange",
                    "ecs:SubmitTaskStateChange",
                ],
                [cluster_arn],
            ),
            ("GetTasks", ["ecs:Poll", "ecs:StartTelemetrySession"], [instances]),
        ):
            self.add_to_policy(iam.PolicyStatement(sid=sid, actions=actions, resources=resources))
        acknowledge(
            self, "AwsSolutions-IAM5[Resource::*]", "ecs:DiscoverPollEndpoint has no resource level; it tells a URL."
        )
        acknowledge(
            self,
            f"AwsSolutions-IAM5[Resource::{as_reported(instances)}]",
            "ECS makes the ids of container instances as they register; the ARN is bound to one cluster.",
        )
