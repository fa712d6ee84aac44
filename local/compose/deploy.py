"""Deploys the stacks into the emulator for `local/compose.yaml`, and fills the tables by the ways that AWS has for it.

Tasks are told by events, a permission and a subscriber by the platform's jobs, a domain by the service action: what the
gateways then route by came through the services function. What the stacks are called is written to a file that other
containers read when they start. All of it may be repeated at will.
"""

import json
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import boto3

from local import servers
from local.compose.fleet import Fleet, wait_for
from local.compose.settings import Settings
from local.deployment import Deployment, deploy
from local.digests import digests
from local.errors import LocalError
from routing import RoutingReader, Table, TableNames

_PASSWORD_PARAMETER: Final = "somleng.local.services_password"  # noqa: S105 - a name; cdk.json has it, too
_EFFECT_SECONDS: Final = 90.0
TABLES: Final = {f"{table.value.upper()}_TABLE": table for table in Table}
"""The variables with the names of the routing tables."""
WRITTEN: Final = (*TABLES, "QUEUE_URL", "SERVICES_FUNCTION_ARN")
"""The variables that the file has."""


class ComposeDeployment:
    """The deployment.

    Args:
        settings: where everything is.
        environment: of the CDK's commands.
        directory: where the assembly lies, and the file that others read (`environment`).

    """

    def __init__(self, settings: Settings, environment: Mapping[str, str], directory: Path) -> None:
        self._settings, self._environment, self._directory = settings, environment, directory

    def run(self) -> None:
        """Deploy, and wait until the tables are as the gateways need them.

        Raises:
            LocalError: saying what did not come to be.

        """
        context = {"recordingsBucketName": self._settings.bucket}
        deployed = deploy(self._environment, self._directory, context)
        function = deployed.services["ServicesFunction"]
        self._client("ssm").put_parameter(
            Name=_PASSWORD_PARAMETER, Value=self._settings.platform_password, Type="SecureString", Overwrite=True
        )
        self._lead_to_the_tasks(function)
        fleet = Fleet(servers.REGION, self._settings.addresses)
        fleet.keep_tasks_running(self._settings.ecs_url)
        for arn in fleet.announce():
            print(f"told of {arn}")
        self._fill(deployed, function)
        names = {variable: deployed.data[f"{_in_words(table)}Table"] for variable, table in TABLES.items()}
        self._wait(names)
        arn = self._client("lambda").get_function(FunctionName=function)["Configuration"]["FunctionArn"]
        self._write({**names, "QUEUE_URL": deployed.services["QueueUrl"], "SERVICES_FUNCTION_ARN": arn})

    def _client(self, service: str) -> Any:
        return boto3.client(service, region_name=servers.REGION)  # type: ignore[call-overload]

    def _lead_to_the_tasks(self, function: str) -> None:
        """Have the services function ask the emulator that knows tasks."""
        functions = self._client("lambda")
        variables = functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        leads = dict.fromkeys(("AWS_ENDPOINT_URL_ECS", "AWS_ENDPOINT_URL_EC2"), self._settings.ecs_url)
        functions.update_function_configuration(
            FunctionName=function, Environment={"Variables": {**variables, **leads}}
        )

    def _fill(self, deployed: Deployment, function: str) -> None:
        passwords = digests(self._settings.username, self._settings.realm, self._settings.password)
        jobs: tuple[tuple[str, Any], ...] = (
            ("CreateOpenSIPSPermissionJob", [self._settings.carrier, {"group_id": 1}]),
            ("CreateOpenSIPSSubscriberJob", [{"username": self._settings.username, **passwords}]),
        )
        for name, arguments in jobs:
            body = json.dumps({"job_class": name, "job_args": arguments})
            self._client("sqs").send_message(QueueUrl=deployed.services["QueueUrl"], MessageBody=body)
        event = {"serviceAction": "CreateDomain", "parameters": {"domain": self._settings.host_address}}
        answer = self._client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        if "FunctionError" in answer:
            raise LocalError(f"the services function failed: {answer['Payload'].read().decode()}")

    def _wait(self, names: Mapping[str, str]) -> None:
        reader = RoutingReader(
            self._client("dynamodb"), TableNames(tuple((table, names[name]) for name, table in TABLES.items()))
        )
        # A switch has two targets; the gateway's own addresses are domains beside the one that was created.
        least = {
            Table.LOAD_BALANCER_TARGETS: 2,
            Table.MEDIA_PROXIES: 1,
            Table.DOMAINS: 2,
            Table.ADDRESSES: 1,
            Table.SUBSCRIBERS: 1,
        }
        for table, count in least.items():

            def is_there(table: Table = table, count: int = count) -> bool:
                return len(reader.snapshot(table).records) >= count

            wait_for(f"{count} rows in {table.value}", _EFFECT_SECONDS, is_there)
            print(f"{table.value}: {', '.join(sorted(reader.snapshot(table).records))}")

    def _write(self, variables: Mapping[str, str]) -> None:
        text = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
        scratch = self._directory / "environment.new"
        scratch.write_text(text)
        scratch.chmod(0o644)
        scratch.replace(self._directory / "environment")


def _in_words(table: Table) -> str:
    return "".join(part.title() for part in table.value.split("_"))


def main(directory: Path) -> int:
    """Deploy with the settings of the environment."""
    try:
        settings = Settings.from_environment(os.environ)
        environment = {
            **os.environ,
            "CDK_DEFAULT_ACCOUNT": servers.ACCOUNT,
            "CDK_DISABLE_CLI_TELEMETRY": "true",
        }
        ComposeDeployment(settings, environment, directory).run()
    except LocalError as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
