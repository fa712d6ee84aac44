"""What operators may do: these actions, and all that the command line does with them."""

import io
import json
import os
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.client import BaseClient

from local import servers
from routing import AddPermanentDomain, Domain, RoutingRepository, Table
from switch_operator.command_line import main
from switch_operator.deployment import Place
from tests.cdk.conftest import CONTEXT, Template
from tests.cdk.permissions import granted, readable, statements
from tests.support.ecs_cluster import Cluster, interface_ip
from tests.support.queue_events import job
from tests.support.routing_tables import ENVIRONMENT, NAMES

CLUSTERS = CONTEXT["settings"]["staging"]["ecsClusterNames"]
READ, WRITE = "OperatorsOperatorReadPolicy", "OperatorsOperatorWritePolicy"
TABLE = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Scan"}
FUNCTIONS = ("Services", "S3Mpeg")
QUEUES = ("<DeadLettersQueue>", *(f"<{name}{name}FailuresQueue>" for name in FUNCTIONS))


def test_an_operator_who_looks_may_do_this_and_nothing_else(services: Template) -> None:
    ecs = [f"arn:aws:ecs:{region}:<AWS::AccountId>" for region in ("ap-southeast-1", "us-east-1")]
    parameters = "arn:aws:ssm:ap-southeast-1:<AWS::AccountId>:parameter/somleng-switch/staging"
    found = readable(granted(services, READ))
    assert found == {
        **{f"{arn}:task/{name}/*": {"ecs:DescribeTasks"} for arn in ecs for name in CLUSTERS},
        "<TablesLoadBalancerTargets>": TABLE,
        "<TablesDomains>": TABLE,
        "<TablesMediaProxies>": TABLE,
        "<TablesAddresses>": TABLE,
        "<TablesRoutingChanges>": {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"},
        "<TablesRegistrations>": {"dynamodb:Query"},
        "<TablesSubscribers>": {"dynamodb:Scan"},
        parameters: {"ssm:GetParametersByPath"},
        f"{parameters}/*": {"ssm:GetParametersByPath"},
        "<Queue>": {"sqs:GetQueueAttributes"},
        **{key: {"sqs:GetQueueAttributes"} for key in QUEUES},
        **{f"<{name}Function>": {"lambda:GetFunctionConfiguration"} for name in FUNCTIONS},
        **{f"<{name}Log>": {"logs:FilterLogEvents"} for name in FUNCTIONS},
        "*": {"cloudwatch:GetMetricData", "cloudwatch:ListMetrics"},
    }


def test_who_looks_alone_sees_no_digest(services: Template) -> None:
    """Of subscribers the names, and no message: a dead letter may hold digests."""
    (scan,) = [each for each in statements(services, READ) if each.get("Sid") == "ReadNamesOfSubscribers"]
    assert scan["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["username"]},
        "StringEquals": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
    }
    assert "sqs:ReceiveMessage" not in str(statements(services, READ))


def test_an_operator_who_changes_may_do_this_beside_it(services: Template) -> None:
    assert readable(granted(services, WRITE)) == {
        "<TablesAddresses>": {"dynamodb:DeleteItem", "dynamodb:PutItem"},
        "<TablesSubscribers>": {"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"},
        "<TablesRoutingChanges>": {"dynamodb:PutItem", "dynamodb:UpdateItem"},
        "<Queue>": {"sqs:SendMessage"},
        **{key: {"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"} for key in QUEUES},
        **{f"<{name}Function>": {"lambda:InvokeFunction"} for name in FUNCTIONS},
    }


# --- against what the command line does

IAM_NAMES = {
    "Invoke": "lambda:InvokeFunction",
    "ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}
SERVICES = {"monitoring": "cloudwatch"}


class Requests:
    """Notes what is asked of AWS, and stands in for Lambda, which moto runs in Docker alone."""

    def __init__(self) -> None:
        self.actions: set[tuple[str, str]] = set()
        self._send = BaseClient._make_api_call  # type: ignore[attr-defined]

    def __call__(self, client: Any, operation: str, parameters: Any) -> Any:
        service = client.meta.service_model.endpoint_prefix
        self.actions |= set(self._actions(SERVICES.get(service, service), operation, parameters))
        if operation == "Invoke":
            return {"StatusCode": 200, "Payload": io.BytesIO(b"null")}
        if operation == "GetFunctionConfiguration":
            return {"LoggingConfig": {"LogGroup": "log"}}
        return self._send(client, operation, parameters)

    def _actions(self, service: str, operation: str, parameters: Any) -> list[tuple[str, str]]:
        tables = {name: table.value for table, name in NAMES.names}
        if operation in ("TransactWriteItems", "TransactGetItems"):
            items = [next(iter(item.items())) for item in parameters["TransactItems"]]
            return [(tables[request["TableName"]], f"dynamodb:{kind}Item") for kind, request in items]
        if operation == "BatchGetItem":
            return [(tables[name], "dynamodb:BatchGetItem") for name in parameters["RequestItems"]]
        if service == "dynamodb":
            return [(tables[parameters["TableName"]], f"dynamodb:{operation}")]
        return [("", IAM_NAMES.get(operation, f"{service}:{operation}"))]


@pytest.fixture
def environment(dynamodb: Any) -> dict[str, str]:
    """A deployment with something of everything in it."""
    sqs, logs, ssm = boto3.client("sqs"), boto3.client("logs"), boto3.client("ssm")
    found = dict(ENVIRONMENT)
    for place in Place:
        if "FUNCTION" in place.name:
            found[place.variable] = f"arn:aws:lambda:{servers.REGION}:123456789012:function:{place.name.lower()}"
        else:
            found[place.variable] = sqs.create_queue(QueueName=place.name.lower())["QueueUrl"]
    logs.create_log_group(logGroupName="log")
    published = {f"tables/{table.value}": NAMES[table] for table in Table}
    published |= {place.parameter: found[place.variable] for place in Place}
    for name, value in published.items():
        ssm.put_parameter(Name=f"/somleng-switch/staging/{name}", Value=value, Type="String")
    cluster = Cluster(servers.REGION)
    cluster.add_instance()
    task = cluster.run("switch")
    item = {"dst_uri": {"S": f"sip:{interface_ip(task)}:5060"}, "group_id": {"N": "1"}, "resource": {"S": "gw"}}
    item |= {"event_socket": {"S": "10.0.0.1:8021"}, "probe_mode": {"N": "2"}, "region": {"S": servers.REGION}}
    dynamodb.put_item(
        TableName=NAMES[Table.LOAD_BALANCER_TARGETS],
        Item={**item, "task_arn": {"S": task["taskArn"]}, "task_version": {"N": "1"}},
    )
    RoutingRepository(dynamodb, NAMES).write([AddPermanentDomain(Domain("sip.example.org"))])
    sqs.send_message(
        QueueUrl=found["DEAD_LETTER_QUEUE_URL"], MessageBody=job("DeleteOpenSIPSPermissionJob", "10.0.0.9")
    )
    sqs.send_message(QueueUrl=found["SERVICES_FAILURES_QUEUE_URL"], MessageBody=json.dumps({"detail-type": "x"}))
    cloudwatch = boto3.client("cloudwatch")
    dimensions = [{"Name": "gateway_kind", "Value": "public"}, {"Name": "gateway_name", "Value": "g"}]
    cloudwatch.put_metric_data(
        Namespace="SomlengSWITCH", MetricData=[{"MetricName": "DataStale", "Dimensions": dimensions, "Value": 0}]
    )
    return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}


LOOKING = (
    "check",
    "targets list --all",
    "targets explain sip:10.0.0.4:5060",
    "media-proxies list",
    "media-proxies explain udp:10.0.0.5:2223",
    "domains explain sip.example.org",
    "permissions list",
    "permissions explain 10.0.0.1",
    "subscribers list",
    "journal",
)
CHANGING = (
    "permissions add 10.0.0.1 --group 1 --yes",
    "permissions remove 10.0.0.1 --yes",
    "subscribers add user1 --yes",
    "subscribers remove user1 --yes",
    "registrations user1",
    "dead-letters list",
    "dead-letters redrive --all --yes",
    "failures list services",
    "failures redrive services --all --yes",
    "reconcile",
)


def used(environment: dict[str, str], commands: tuple[str, ...]) -> set[tuple[str, str]]:
    """Give commands and return what they asked of AWS."""
    requests = Requests()
    with patch.object(BaseClient, "_make_api_call", lambda *arguments: requests(*arguments)):
        for command in commands:
            out, err = io.StringIO(), io.StringIO()
            arguments = ["--environment", "staging", *command.split()]
            status = main(arguments, environment, stdin=io.StringIO("password\n"), stdout=out, stderr=err)
            assert status in (0, 1), err.getvalue()
    return requests.actions


def test_the_policies_have_what_the_command_line_does_and_no_more(
    environment: dict[str, str], services: Template
) -> None:
    constructs = {f"Tables{table.value.title().replace('_', '')}": table.value for table in Table}

    def allowed(policy: str) -> set[tuple[str, str]]:
        return {
            (constructs.get(resource.strip("<>"), ""), action)
            for resource, actions in readable(granted(services, policy)).items()
            for action in actions
        }

    looked = used(environment, LOOKING)
    assert looked - allowed(READ) == set()
    changed = used(environment, CHANGING)
    assert changed - allowed(READ) - allowed(WRITE) == set()
    # A row that changes while a table is read is read again; nothing changes here meanwhile.
    again = {(constructs[each], "dynamodb:BatchGetItem") for each in constructs}
    assert (allowed(READ) | allowed(WRITE)) - looked - changed - again == set()
