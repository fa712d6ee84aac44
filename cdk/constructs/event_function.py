"""A Lambda function that events invoke."""

from collections.abc import Sequence
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from constructs import Construct

from cdk.constructs.alarms import Alarms
from cdk.constructs.dead_letters import DeadLetters
from cdk.constructs.service_log import service_log
from cdk.function_settings import FunctionSize
from cdk.nag import acknowledge
from cdk.runbooks import Runbook
from cdk.settings import Settings
from cdk.target import LAMBDA_PYTHON, Target


def lambda_architecture(target: Target) -> lambda_.Architecture:
    """Return the CDK's value for a target's machine."""
    return lambda_.Architecture.ARM_64 if target.architecture == "arm64" else lambda_.Architecture.X86_64


def lambda_runtime(target: Target) -> lambda_.Runtime:
    """Return the CDK's value for a target's Python."""
    if target.python_version == LAMBDA_PYTHON:
        return lambda_.Runtime.PYTHON_3_13
    return lambda_.Runtime(f"python{target.python_version}", lambda_.RuntimeFamily.PYTHON)


def function_name(settings: Settings, name: str) -> str:
    """Return the name of a function, by which other regions find it; `name` is its folder below `lambdas`."""
    return f"somleng-switch-{settings.environment}-{name.replace('_', '-')}"


class EventFunction(Construct):
    """A function with a role and a log group of its own, a queue for events that it failed on, and alarms.

    An asynchronous event that fails is tried again, and then goes to `failures` with the error that it failed with.
    The role starts with the right to write the function's own log and nothing else.

    It is not traced by X-Ray: an event is handled by one function, and is found in the log by its message id, task ARN
    or object key; a tracer would lengthen every cold start.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        alarms: Alarms,
        runbook: Runbook,
        target: Target,
        name: str,
        bundle: Path,
        layers: Sequence[lambda_.ILayerVersion],
        size: FunctionSize,
        environment: dict[str, str],
    ) -> None:
        """Make the function.

        Parameters:
            scope: the construct that it belongs to.
            construct_id: its name in the tree and in alarms.
            settings: the deployment's settings.
            alarms: where its alarms are.
            runbook: what to do while it fails; of events that it gave up, the runbook of dead letters says it.
            target: what the bundle is for.
            name: its folder below `lambdas`, whose `handler.handler` is the entry.
            bundle: directory with its code.
            layers: the layers that it imports from.
            size: memory and time limit.
            environment: its own environment; Powertools' is added.

        """
        super().__init__(scope, construct_id)
        self.log = log_group = service_log(self, "Log", settings=settings)
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(role)
        self.failures = DeadLetters(
            self,
            f"{construct_id}Failures",
            alarms=alarms,
            what=f"Events of {construct_id}",
            runbook=Runbook.DEAD_LETTERS,
        ).queue
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=function_name(settings, name),
            runtime=lambda_runtime(target),
            architecture=lambda_architecture(target),
            handler=f"lambdas.{name}.handler.handler",
            code=lambda_.Code.from_asset(str(bundle)),
            layers=list(layers),
            role=role,
            log_group=log_group,
            memory_size=size.memory_megabytes,
            timeout=Duration.seconds(size.timeout_seconds),
            reserved_concurrent_executions=size.reserved_concurrency,
            environment={
                # A dimension of every metric and a key of every log line: it tells an account's deployments apart.
                "POWERTOOLS_SERVICE_NAME": function_name(settings, name),
                "POWERTOOLS_LOG_LEVEL": settings.log_level,
                **environment,
            },
            on_failure=destinations.SqsDestination(self.failures),
            retry_attempts=settings.events.retries,
            max_event_age=Duration.seconds(settings.events.max_age_seconds),
        )
        acknowledge(
            self.function,
            "AwsSolutions-L1",
            "Python 3.13 is the newest that all of the project's tests run on; the emulator runs a function with its "
            "own Python, which the runtime then says as it is.",
        )
        per_minutes = Duration.minutes(5)
        alarms.add(
            f"{construct_id}Errors",
            self.function.metric_errors(period=per_minutes, statistic="Sum"),
            threshold=1,
            meaning=f"The function {construct_id} failed on an event, which is tried again",
            runbook=runbook,
        )
        alarms.add(
            f"{construct_id}Throttles",
            self.function.metric_throttles(period=per_minutes, statistic="Sum"),
            threshold=1,
            meaning=f"The function {construct_id} was throttled: the account's concurrency is used up",
            runbook=runbook,
        )
