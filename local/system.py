"""The system as it runs on this machine: its servers, its stacks, and clients of both."""

import json
import os
import secrets
import urllib.request
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import boto3

from local import servers
from local.deployment import Deployment, deploy
from local.errors import LocalError
from local.live_page import live_page, write_sources
from local.loopback import LoopbackHosts
from local.run_directory import RunDirectory
from local.supervision import Supervisor
from local.task_events import TaskEvents
from routing import RoutingReader, Table, TableNames
from tests.support.ecs_cluster import Cluster

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

_READY_SECONDS = 30.0
PLATFORM_USER = "services"
PASSWORD_PARAMETER = "somleng.local.services_password"  # noqa: S105 - a name; cdk.json has it, too
CLUSTER = "somleng-switch"
SECOND_REGION = "us-east-1"


class LocalSystem:
    """The system on this machine.

    Args:
        run: where its files lie and its processes are noted.
        hosts: addresses for everything but the emulators.
        report: is told, for people, of processes that ended.
        ports: of the AWS emulator, the ECS emulator and the platform, if they are to be certain ones.
        live_port: of the live page, likewise.

    """

    def __init__(
        self,
        run: RunDirectory,
        hosts: LoopbackHosts,
        report: Callable[[str], None],
        ports: tuple[int | None, int | None, int | None] = (None, None, None),
        live_port: int | None = None,
    ) -> None:
        self.run, self.hosts = run, hosts
        self.port, self.ecs_port, self.platform_port = (port or servers.free_port() for port in ports)
        self.live_port = live_port or servers.free_port()
        self.switch_credentials = "adhearsion", secrets.token_urlsafe(24)
        self.supervisor = Supervisor(run.add, run.forget, report)
        self._password = secrets.token_urlsafe(24)
        self._deployment: Deployment | None = None

    # --- life

    def start(self) -> None:
        """Start the servers and wait until they answer.

        Raises:
            ServerFailed: naming the one that did not.

        """
        os.environ.update(servers.WITHOUT_PROXY)
        platform = {
            "CALL_PLATFORM_USERNAME": PLATFORM_USER,
            "CALL_PLATFORM_PASSWORD": self._password,
            "CALL_SERVICE_USERNAME": self.switch_credentials[0],
            "CALL_SERVICE_PASSWORD": self.switch_credentials[1],
        }
        for server in (
            servers.aws_emulator(self.run.path, self.port),
            servers.ecs_emulator(self.run.path, self.ecs_port, self.hosts.tasks),
            servers.call_platform(self.run.path, self.platform_port, platform),
        ):
            self.supervisor.start(server, restarts=False)  # what it knew would be gone
        self.supervisor.wait_until_ready(_READY_SECONDS)
        servers.keep_tasks_running(self.ecs_port)
        os.environ.update(self.environment)

    def stop(self) -> None:
        """End the servers with all that they started."""
        self.supervisor.stop()

    def deploy(self) -> None:
        """Deploy the stacks; have the services function ask the ECS emulator, and know the platform's password."""
        scratch = self.scratch("tmp")
        scratch.mkdir(exist_ok=True)
        environment = {
            **servers.base_environment(),
            **self.environment,
            "CDK_DEFAULT_ACCOUNT": servers.ACCOUNT,
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "TMPDIR": str(scratch),  # what an interrupted synthesis leaves goes with the run
        }
        host = {"callPlatformHost": self.platform_url}
        self._deployment = deploy(environment, self.run.path, host)
        functions = self.functions
        name = self.outputs["ServicesFunction"]
        variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": {**variables, **self._ecs_endpoints}}
        )
        self._client("ssm").put_parameter(Name=PASSWORD_PARAMETER, Value=self._password, Type="SecureString")

    def serve_live_page(self) -> None:
        """Serve the page that shows what is deployed and runs; return once it answers.

        Raises:
            ServerFailed: when it does not.

        """
        page = live_page(self.run.path, self.live_port, write_sources(self), self.environment)
        self.supervisor.start(page)
        self.supervisor.wait_until_ready(_READY_SECONDS, page)

    # --- where things are

    @property
    def endpoint(self) -> str:
        """URL of the AWS emulator."""
        return f"http://{servers.HOST}:{self.port}"

    @property
    def platform_url(self) -> str:
        """URL of the call platform."""
        return f"http://{servers.HOST}:{self.platform_port}"

    @property
    def live_url(self) -> str:
        """URL of the live page."""
        return f"http://{servers.HOST}:{self.live_port}/"

    @property
    def environment(self) -> dict[str, str]:
        """What makes any AWS client of a process talk to this system."""
        leads = {"AWS_ENDPOINT_URL": self.endpoint, "AWS_ENDPOINT_URL_S3": self.endpoint}
        return {**servers.credentials(), **leads, **self._ecs_endpoints}

    @property
    def _ecs_endpoints(self) -> dict[str, str]:
        endpoint = f"http://{servers.HOST}:{self.ecs_port}"
        return {"AWS_ENDPOINT_URL_ECS": endpoint, "AWS_ENDPOINT_URL_EC2": endpoint}

    @property
    def outputs(self) -> Mapping[str, str]:
        """What the services stack says of itself."""
        return self._deployed.services

    @property
    def bucket(self) -> str:
        """Name of the recordings bucket."""
        return self._deployed.data["RecordingsBucket"]

    @property
    def services_function_arn(self) -> str:
        """ARN of the services function."""
        return self.functions.get_function_configuration(FunctionName=self.outputs["ServicesFunction"])["FunctionArn"]

    @property
    def table_names(self) -> TableNames:
        """DynamoDB's names of the routing tables."""
        outputs = self._deployed.data
        return TableNames(
            tuple(
                (table, outputs["".join(part.title() for part in table.value.split("_")) + "Table"]) for table in Table
            )
        )

    @property
    def _deployed(self) -> Deployment:
        if self._deployment is None:
            raise LocalError("the stacks are not deployed yet")
        return self._deployment

    # --- clients

    def _client(self, service: str) -> Any:
        return boto3.client(service, region_name=servers.REGION)  # type: ignore[call-overload]

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB."""
        return cast("DynamoDBClient", self._client("dynamodb"))

    @cached_property
    def sqs(self) -> "SQSClient":
        """SQS."""
        return cast("SQSClient", self._client("sqs"))

    @cached_property
    def s3(self) -> "S3Client":
        """S3."""
        return cast("S3Client", self._client("s3"))

    @cached_property
    def functions(self) -> "LambdaClient":
        """Lambda."""
        return cast("LambdaClient", self._client("lambda"))

    @cached_property
    def task_events(self) -> TaskEvents:
        """EventBridge, as ECS uses it."""
        return TaskEvents(self._client("events"))

    @cached_property
    def reader(self) -> RoutingReader:
        """The routing tables as a gateway reads them."""
        return RoutingReader(self.dynamodb, self.table_names)

    @cached_property
    def home_cluster(self) -> Cluster:
        """The ECS cluster of the home region."""
        return Cluster(servers.REGION, CLUSTER, self.hosts.instances)

    @cached_property
    def second_cluster(self) -> Cluster:
        """The ECS cluster of the other region."""
        return Cluster(SECOND_REGION, CLUSTER, self.hosts.instances)

    # --- what is

    def keys(self, table: Table) -> list[str]:
        """Return the keys of a table's rows."""
        return sorted(self.reader.snapshot(table).records)

    def capacities(self) -> dict[str, int]:
        """Return what the platform was told last of each region."""
        with urllib.request.urlopen(f"{self.platform_url}/capacities", timeout=5) as answer:  # noqa: S310 - ours
            return {told["region"]: told["capacity"] for told in json.load(answer)}

    def messages_in(self, queue_url: str) -> list[str]:
        """Take what lies in a queue."""
        answer = self.sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
        bodies = []
        for message in answer.get("Messages", []):
            bodies.append(message["Body"])
            self.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def log_of(self, function: str, lines: int = 15) -> list[str]:
        """Return the last lines that a function logged."""
        logs = self._client("logs")
        group = self.functions.get_function_configuration(FunctionName=function).get("LoggingConfig", {})
        name = group.get("LogGroup", f"/aws/lambda/{function}")
        events = logs.filter_log_events(logGroupName=name).get("events", [])
        return [str(event["message"]).rstrip() for event in events[-lines:]]

    def scratch(self, name: str) -> Path:
        """Return a path for a file of this run."""
        return self.run.path / name
