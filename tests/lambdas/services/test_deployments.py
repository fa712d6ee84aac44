"""Custom resources of a template: CloudFormation asks for a service action and waits for the answer."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from lambdas.services.errors import DeploymentUnanswered, InvalidEvent
from routing import Table
from tests.fakes.quiet_server import ServedFake
from tests.lambdas.services.conftest import Services
from tests.support.routing_tables import rows

DOMAIN = "sip.example.org"


class CloudFormation(ServedFake):
    """Where CloudFormation looks for answers: a URL of S3, signed for a PUT without a content type."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []
        self.status = 200
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                signed = self.path == "/answer?signature=1" and not self.headers["Content-Type"]
                if signed and fake.status == 200:
                    fake.answers.append(body)
                self.send_response(fake.status if signed else 403)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        super().__init__(Handler)


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    with CloudFormation() as fake:
        yield fake


def request(cloudformation: CloudFormation, kind: str, **changed: Any) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "ResponseURL": f"{cloudformation.url}/answer?signature=1",
        "StackId": "stack-1",
        "RequestId": "request-1",
        "LogicalResourceId": "Domain",
        "ResourceType": "Custom::ServiceAction",
        "ResourceProperties": properties(),
        **changed,
    }


def properties(**changed: Any) -> dict[str, Any]:
    return {"ServiceToken": "arn", "serviceAction": "CreateDomain", "parameters": {"domain": DOMAIN}, **changed}


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_the_action_is_done_and_answered(services: Services, cloudformation: CloudFormation, kind: str) -> None:
    assert services(request(cloudformation, kind)) is None
    assert rows(Table.DOMAINS) == [{"domain": DOMAIN}]
    assert cloudformation.answers == [
        {
            "Status": "SUCCESS",
            "Reason": "",
            "PhysicalResourceId": 'CreateDomain {"domain": "sip.example.org"}',
            "StackId": "stack-1",
            "RequestId": "request-1",
            "LogicalResourceId": "Domain",
        }
    ]


def test_a_resource_that_goes_undoes_nothing(services: Services, cloudformation: CloudFormation) -> None:
    services(request(cloudformation, "Create"))
    services(request(cloudformation, "Delete"))
    assert [each["Status"] for each in cloudformation.answers] == ["SUCCESS", "SUCCESS"]
    assert rows(Table.DOMAINS) == [{"domain": DOMAIN}]


def test_another_domain_is_another_resource(services: Services, cloudformation: CloudFormation) -> None:
    services(request(cloudformation, "Create"))
    other = properties(parameters={"domain": "other.example.org"})
    services(request(cloudformation, "Update", ResourceProperties=other))
    first, second = (each["PhysicalResourceId"] for each in cloudformation.answers)
    assert first != second


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (properties(serviceAction="DropTables"), "UnknownServiceAction: service action 'DropTables'"),
        (properties(parameters={"domain": "a domain"}), "InvalidEvent: domain is 'a domain'"),
        (properties(parameters={"domain": 3}), "InvalidEvent: domain is 3"),
        (properties(parameters="x"), "InvalidEvent: domain is None"),
        (None, "UnknownServiceAction"),
    ],
)
def test_what_cannot_be_done_fails_the_deployment_by_name(
    services: Services, cloudformation: CloudFormation, given: Any, named: str
) -> None:
    """Raised, it would be tried again when the deployment has long taken itself back."""
    assert services(request(cloudformation, "Create", ResourceProperties=given)) is None
    (answer,) = cloudformation.answers
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith(named)
    assert rows(Table.DOMAINS) == []
    assert services.log[-1]["message"] == "service action of a deployment failed"


def test_an_answer_that_is_not_taken_fails_the_invocation(services: Services, cloudformation: CloudFormation) -> None:
    cloudformation.status = 403
    with pytest.raises(DeploymentUnanswered, match="403"):
        services(request(cloudformation, "Create"))


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"ResponseURL": "https://example.org/answer"}, "example.org"),
        ({"ResponseURL": "http://s3.amazonaws.com/answer"}, "s3.amazonaws.com"),
        ({"ResponseURL": "https://s3.amazonaws.com.example.org/answer"}, "example.org"),
        ({"ResponseURL": 5}, "ResponseURL"),
        ({"RequestType": "Read"}, "RequestType"),
        ({"StackId": ""}, "StackId"),
    ],
)
def test_a_request_that_is_none_is_not_answered(
    services: Services, cloudformation: CloudFormation, changed: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidEvent, match=named):
        services(request(cloudformation, "Create", **changed))
    assert cloudformation.answers == []
    assert rows(Table.DOMAINS) == []
