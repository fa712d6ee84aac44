"""What people may do who operate a deployment with its command line (`containers/switch_operator`)."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.constructs.event_function import EventFunction
from cdk.constructs.routing_tables import (
    ADDRESSES,
    DOMAINS,
    LOAD_BALANCER_TARGETS,
    MEDIA_PROXIES,
    REGISTRATIONS,
    ROUTING_CHANGES,
    SUBSCRIBERS,
    RoutingTables,
    TableShape,
)
from cdk.nag import acknowledge, as_reported
from cdk.settings import Settings

_READ = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Scan")
_READ_ACTIONS: dict[TableShape, tuple[str, ...]] = {
    LOAD_BALANCER_TARGETS: _READ,
    DOMAINS: _READ,
    MEDIA_PROXIES: _READ,
    ADDRESSES: _READ,
    ROUTING_CHANGES: ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"),
    REGISTRATIONS: ("dynamodb:Query",),
}
_WRITE_ACTIONS: dict[TableShape, tuple[str, ...]] = {
    ADDRESSES: ("dynamodb:DeleteItem", "dynamodb:PutItem"),
    SUBSCRIBERS: ("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"),
    ROUTING_CHANGES: ("dynamodb:PutItem", "dynamodb:UpdateItem"),
}


class OperatorAccess(Construct):
    """Two policies that are given to nobody here, for the roles of people: `read`, and `write` beside it.

    Whoever has `read` alone never sees a digest: it reads the names of subscribers, and no message of a queue, since
    dead letters hold digests, too.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        tables: RoutingTables,
        jobs: sqs.Queue,
        dead_letters: sqs.Queue,
        functions: Sequence[EventFunction],
    ) -> None:
        """Make the policies.

        Parameters:
            scope: the construct that they belong to.
            construct_id: their name in the tree.
            settings: the deployment's settings.
            tables: the routing tables.
            jobs: the queue of the platform's jobs.
            dead_letters: where those end that failed.
            functions: those whose failures an operator looks after.

        """
        super().__init__(scope, construct_id)
        self._settings, self._tables = settings, tables
        waiting = [dead_letters, *(function.failures for function in functions)]
        self.read = iam.ManagedPolicy(
            self,
            "OperatorReadPolicy",
            description=f"Look at SomlengSWITCH ({settings.environment}) with the operator's command line",
            statements=[
                *self._table_statements(_READ_ACTIONS),
                self._subscribers_names(),
                self._published(),
                _statement("sqs:GetQueueAttributes", [queue.queue_arn for queue in (jobs, *waiting)]),
                _statement("lambda:GetFunctionConfiguration", [each.function.function_arn for each in functions]),
                _statement("logs:FilterLogEvents", [each.function.log_group.log_group_arn for each in functions]),
                self._metrics(),
                _statement("ecs:DescribeTasks", self._task_arns()),
            ],
        )
        self.write = iam.ManagedPolicy(
            self,
            "OperatorWritePolicy",
            description=f"Change SomlengSWITCH ({settings.environment}) with it, beside OperatorReadPolicy",
            statements=[
                *self._table_statements(_WRITE_ACTIONS),
                _statement("sqs:SendMessage", [jobs.queue_arn]),
                iam.PolicyStatement(
                    actions=["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"],
                    resources=[queue.queue_arn for queue in waiting],
                ),
                _statement("lambda:InvokeFunction", [each.function.function_arn for each in functions]),
            ],
        )
        self._acknowledge()

    def _table_statements(self, actions: dict[TableShape, tuple[str, ...]]) -> list[iam.PolicyStatement]:
        return [
            iam.PolicyStatement(actions=list(each), resources=[self._tables[shape].table_arn])
            for shape, each in actions.items()
        ]

    def _subscribers_names(self) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid="ReadNamesOfSubscribers",
            actions=["dynamodb:Scan"],
            resources=[self._tables[SUBSCRIBERS].table_arn],
            # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
            conditions={
                "ForAllValues:StringEquals": {"dynamodb:Attributes": [SUBSCRIBERS.key]},
                "StringEquals": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
            },
        )

    def _published(self) -> iam.PolicyStatement:
        return _statement("ssm:GetParametersByPath", self._parameter_arns())

    def _metrics(self) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid="ReadMetrics",
            actions=["cloudwatch:GetMetricData", "cloudwatch:ListMetrics"],
            resources=["*"],
            conditions={"StringEquals": {"aws:RequestedRegion": self._settings.home_region}},
        )

    def _parameter_arns(self) -> list[str]:
        path = f"somleng-switch/{self._settings.environment}"
        stack = Stack.of(self)
        names = (path, f"{path}/*")
        return [stack.format_arn(service="ssm", resource="parameter", resource_name=name) for name in names]

    def _task_arns(self) -> list[str]:
        stack = Stack.of(self)
        return [
            stack.format_arn(service="ecs", region=region.identifier, resource="task", resource_name=f"{cluster}/*")
            for region in self._settings.regions
            for cluster in self._settings.ecs.cluster_names
        ]

    def _acknowledge(self) -> None:
        acknowledge(
            self.read,
            "AwsSolutions-IAM5[Resource::*]",
            "CloudWatch's metrics have no resource level; they are restricted to the home region by condition.",
        )
        for arn in self._task_arns():
            acknowledge(
                self.read,
                f"AwsSolutions-IAM5[Resource::{as_reported(arn)}]",
                "ECS makes the ids of tasks as they start; the ARN is bound to one cluster.",
            )
        acknowledge(
            self.read,
            f"AwsSolutions-IAM5[Resource::{as_reported(self._parameter_arns()[1])}]",
            "Parameters are read by their path; below it are names that this deployment published, and no secret.",
        )


def _statement(action: str, resources: Sequence[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=[action], resources=list(resources))
