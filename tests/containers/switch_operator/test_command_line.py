"""How a deployment is found, and how a command ends that cannot be done."""

import boto3
import pytest

from routing import Table
from switch_operator.deployment import Place
from tests.containers.switch_operator.conftest import SERVICES, Operator
from tests.support.routing_tables import NAMES


def publish(operator: Operator, environment: str) -> None:
    """Publish the deployment's parts, as the stacks do."""
    ssm = boto3.client("ssm")
    values = {f"tables/{table.value}": NAMES[table] for table in Table}
    values |= {place.parameter: operator.environment[place.variable] for place in Place}
    for name, value in values.items():
        ssm.put_parameter(Name=f"/somleng-switch/{environment}/{name}", Value=value, Type="String")


def test_a_deployment_is_found_by_its_name_and_not_by_variables_of_another(operator: Operator) -> None:
    publish(operator, "staging")
    operator.environment |= dict.fromkeys(operator.environment, "of-another")
    assert operator.json("--environment", "staging", "permissions", "list")["addresses"] == []
    assert operator.json("permissions", "list", "--environment", "staging")["addresses"] == []
    operator.environment["SOMLENG_SWITCH_ENVIRONMENT"] = "staging"
    assert operator.json("permissions", "list")["addresses"] == []
    operator("registrations", "user1", status=1)
    assert [function for function, _, _ in operator.functions.invocations] == [SERVICES]


def test_what_stands_before_the_command_is_not_undone_by_what_stands_after_it(operator: Operator) -> None:
    said = operator("--json", "--environment", "nowhere", "permissions", "list", status=2)
    assert "no deployment 'nowhere' is published in ap-southeast-1" in said.err
    assert operator("--json", "permissions", "list").document["addresses"] == []


def test_what_is_missing_is_named_with_what_to_do(operator: Operator) -> None:
    publish(operator, "staging")
    boto3.client("ssm").delete_parameter(Name="/somleng-switch/staging/tables/addresses")
    said = operator("--environment", "staging", "permissions", "list", status=2).err
    assert "/somleng-switch/staging/tables/addresses is not there: deploy the stacks" in said
    del operator.environment["ADDRESSES_TABLE"]
    said = operator("permissions", "list", status=2).err
    assert "environment variable ADDRESSES_TABLE is not set: set it, or name a deployment with --environment" in said


def test_what_aws_refuses_is_said_with_the_operation(operator: Operator) -> None:
    operator.environment["ADDRESSES_TABLE"] = "nothing"
    said = operator("permissions", "list", status=1)
    assert said.err.startswith("switch_operator: AWS refused Scan: ResourceNotFoundException")


def test_an_aws_that_is_out_of_reach_is_said(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert "AWS cannot be asked" in operator("permissions", "list", status=1).err


def test_help_and_misuse_end_as_they_are_documented(operator: Operator, capsys: pytest.CaptureFixture[str]) -> None:
    from switch_operator.command_line import main

    assert main(["--help"], {}) == 0
    assert "Exit status: 0 done" in capsys.readouterr().out
    assert main(["permissions"], {}) == 2
    assert main(["permissions", "add", "10.0.0.1"], {}) == 2
    assert "--group" in capsys.readouterr().err
