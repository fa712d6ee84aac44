"""The security page says what is open to everybody, and which secrets there are."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cdk.application import ROOT
from cdk.secrets_stack import EVENT_SOCKET_PASSWORD, HTTP_PASSWORD
from tests.cdk.conftest import Template, Templates

PAGE = (ROOT / "docs" / "security.md").read_text()
EVERYBODY = {"0.0.0.0/0", "::/0"}


def cells(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading, without its head."""
    text = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def ingress(template: Template) -> Iterator[dict[str, Any]]:
    """Yield every rule that lets somebody in."""
    for group in template.properties("AWS::EC2::SecurityGroup"):
        yield from group.get("SecurityGroupIngress", [])
    yield from template.properties("AWS::EC2::SecurityGroupIngress")


def ports(rule: dict[str, Any]) -> str:
    first, last = rule.get("FromPort"), rule.get("ToPort")
    return f"{rule['IpProtocol']}/{first}" if first == last else f"{rule['IpProtocol']}/{first}-{last}"


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_nothing_is_open_to_everybody_but_what_the_page_says(
    synthesise: Callable[[str], Templates], environment: str
) -> None:
    told = {
        port
        for row in cells("Who reaches which port")
        if row[2] == "anywhere"
        for port in re.findall(r"`(.+?)`", row[0])
    }
    opened = {
        ports(rule)
        for template in synthesise(environment).values()
        for rule in ingress(template)
        if EVERYBODY & {rule.get("CidrIp"), rule.get("CidrIpv6")}
    }
    assert opened
    assert opened <= told


def test_every_secret_is_on_the_page(synthesise: Callable[[str], Templates]) -> None:
    told = " ".join(row[0] for row in cells("Secrets"))
    names = {
        properties["Name"].rsplit("/", 1)[1]
        for template in synthesise("production").values()
        for properties in template.properties("AWS::SecretsManager::Secret")
    }
    assert names == {EVENT_SOCKET_PASSWORD, HTTP_PASSWORD}
    assert all(f"`{name}`" in told for name in names)


def test_no_template_gives_a_container_or_a_function_a_password_as_a_setting(
    synthesise: Callable[[str], Templates],
) -> None:
    for name, template in synthesise("production").items():
        tasks = template.properties("AWS::ECS::TaskDefinition")
        plain = [
            each["Name"]
            for task in tasks
            for container in task["ContainerDefinitions"]
            for each in container.get("Environment", [])
        ]
        for function in template.properties("AWS::Lambda::Function"):
            plain += function.get("Environment", {}).get("Variables", {})
        named = {
            each for each in plain if "PASSWORD" in each and not each.endswith(("_PARAMETER", "_PARAMETER_REGION"))
        }
        assert named == set(), f"{name}: {json.dumps(sorted(named))}"
