"""A deployment on an emulated AWS that is asked over HTTP, and the command line that operates it."""

import io
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from lambdas.services.handler import handler, logger
from local import servers
from routing import (
    Change,
    LoadBalancerTarget,
    PutTaskRow,
    RegistrationWriter,
    RemoveTaskRow,
    RoutingReader,
    RoutingRepository,
    Table,
    TaskStamp,
)
from switch_operator.command_line import main
from switch_operator.deployment import Place
from tests.fakes.lambda_api import LambdaApi
from tests.support.control_plane import emulated_aws
from tests.support.routing_tables import ENVIRONMENT, NAMES, create_tables
from tests.support.services_environment import OPTIONAL, services_environment

SERVICES = f"arn:aws:lambda:{servers.REGION}:123456789012:function:services"
S3_MPEG = f"arn:aws:lambda:{servers.REGION}:123456789012:function:s3-mpeg"
LOG_GROUPS = {SERVICES: "services-log", S3_MPEG: "s3-mpeg-log"}


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An emulated AWS over HTTP."""
    with emulated_aws(tmp_path_factory.mktemp("aws")) as url:
        yield url


class Terminal(io.StringIO):
    """What somebody types."""

    def __init__(self, typed: str, *, interactive: bool) -> None:
        super().__init__(typed)
        self._interactive = interactive

    def isatty(self) -> bool:
        return self._interactive


@dataclass
class Said:
    """How a command ended and what it said."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@dataclass
class Operator:
    """Gives commands.

    Attributes:
        environment: the variables that the command line reads.
        functions: the deployment's functions.
        ahead: seconds that the operator's clock is ahead.

    """

    environment: dict[str, str]
    functions: LambdaApi
    queues: dict[Place, str]
    ahead: float = 0.0
    log: io.StringIO = field(default_factory=io.StringIO)

    def __call__(self, *arguments: str, typed: str = "", interactive: bool = False, status: int = 0) -> Said:
        """Give a command; it must end with `status`."""
        out, err = io.StringIO(), io.StringIO()
        ended = main(
            arguments,
            self.environment,
            stdin=Terminal(typed, interactive=interactive),
            stdout=out,
            stderr=err,
            clock=lambda: time.time() + self.ahead,
        )
        said = Said(ended, out.getvalue(), err.getvalue())
        assert said.status == status, f"ended with {said.status}: {said.out}\n{said.err}"
        assert bool(said.err) or ended in (0, 1)
        return said

    def json(self, *arguments: str, status: int = 0, **given: Any) -> Any:
        """Give a command and return its document."""
        return self(*arguments, "--json", status=status, **given).document


@pytest.fixture
def operator(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    """A deployment with nothing in it: tables, queues, the real services function; its operator."""
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST"), timeout=5).close()
    servers.keep_tasks_running(int(endpoint.rsplit(":", 1)[1]))
    for name, value in {**servers.credentials(), **servers.WITHOUT_PROXY, "AWS_ENDPOINT_URL": endpoint}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    create_tables(boto3.client("dynamodb"))
    sqs = boto3.client("sqs")
    queues = {
        place: sqs.create_queue(QueueName=place.name.lower())["QueueUrl"]
        for place in Place
        if "FUNCTION" not in place.name
    }
    logs = boto3.client("logs")
    for group in LOG_GROUPS.values():
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="one")
    for name, value in services_environment(queues[Place.QUEUE]).items():
        monkeypatch.setenv(name, value)
    for name in OPTIONAL:
        monkeypatch.delenv(name, raising=False)
    log = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", log)

    def services(event: Any) -> Any:
        return handler(event, SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 60_000))

    def s3_mpeg(_: Any) -> Any:
        raise AssertionError("operators do not wait for this function")

    with LambdaApi({SERVICES: services, S3_MPEG: s3_mpeg}, LOG_GROUPS) as functions:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", functions.url)
        environment = {**ENVIRONMENT, **{place.variable: url for place, url in queues.items()}}
        environment |= {Place.SERVICES_FUNCTION.variable: SERVICES, Place.S3_MPEG_FUNCTION.variable: S3_MPEG}
        yield Operator(environment, functions, queues, log=log)


@pytest.fixture
def repository(operator: Operator) -> RoutingRepository:
    return RoutingRepository(boto3.client("dynamodb"), NAMES)


@pytest.fixture
def reader(operator: Operator) -> RoutingReader:
    return RoutingReader(boto3.client("dynamodb"), NAMES)


@pytest.fixture
def registrations(operator: Operator) -> RegistrationWriter:
    return RegistrationWriter(boto3.client("dynamodb"), NAMES)


@pytest.fixture
def write(repository: RoutingRepository) -> Callable[..., None]:
    """Write changes."""

    def write(*changes: Change) -> None:
        repository.write(changes)

    return write


def arn(name: str, region: str = servers.REGION) -> str:
    return f"arn:aws:ecs:{region}:123456789012:task/somleng-switch/{name}"


def target(ip: str, task: str, group: int = 1, version: int = 3, resource: str = "gw") -> PutTaskRow:
    """A switch's row."""
    port = 5060 if resource == "gw" else 5080
    record = LoadBalancerTarget(f"sip:{ip}:{port}", group, resource, f"{ip}:8021", 2, servers.REGION)
    return PutTaskRow(record, TaskStamp(arn(task), version, 1_772_877_600_000))


def ended(ip: str, task: str, version: int = 4) -> RemoveTaskRow:
    """The end of a switch's task."""
    return RemoveTaskRow(
        Table.LOAD_BALANCER_TARGETS, f"sip:{ip}:5060", TaskStamp(arn(task), version, 1_772_877_600_000)
    )
