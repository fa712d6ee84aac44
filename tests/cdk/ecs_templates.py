"""Reads of a template what its ECS service is made of."""

from typing import Any

from tests.cdk.conftest import Template


def containers(template: Template) -> dict[str, dict[str, Any]]:
    """Return the containers of the only task definition, by name."""
    (definition,) = template.properties("AWS::ECS::TaskDefinition")
    return {each["Name"]: each for each in definition["ContainerDefinitions"]}


def environment(container: dict[str, Any]) -> dict[str, Any]:
    """Return what a container is told."""
    return {each["Name"]: each["Value"] for each in container["Environment"]}


def ports(container: dict[str, Any]) -> list[tuple[str, int]]:
    """Return the protocol and the number of each port."""
    return [(each["Protocol"], each["ContainerPort"]) for each in container["PortMappings"]]


Rule = tuple[str, int, int, str]
"""Protocol, first and last port, and who: a network, or the beginning of a security group's logical id."""


def ingress(template: Template, group: str) -> set[Rule]:
    """Return who may come in, of the security group whose logical id begins so, rules of their own included."""
    return _rules(template, group, "Ingress", "Source")


def egress(template: Template, group: str) -> set[Rule]:
    """Return where the members of a security group may go."""
    return _rules(template, group, "Egress", "Destination")


def _rules(template: Template, group: str, direction: str, peer: str) -> set[Rule]:
    (name,) = [
        key
        for key, each in template.content["Resources"].items()
        if each["Type"] == "AWS::EC2::SecurityGroup" and key.startswith(group)
    ]
    within = template.content["Resources"][name]["Properties"].get(f"SecurityGroup{direction}", [])
    apart = [
        each for each in template.properties(f"AWS::EC2::SecurityGroup{direction}") if names(each["GroupId"]) == name
    ]
    return {
        (
            each["IpProtocol"],
            each.get("FromPort", 0),
            each.get("ToPort", 65_535),
            str(each.get("CidrIp") or names(each[f"{peer}SecurityGroupId"])),
        )
        for each in (*within, *apart)
    }


def names(reference: dict[str, Any]) -> str:
    """Return the logical id that a reference names, or the export."""
    ((function, argument),) = reference.items()
    return str(argument[0] if function == "Fn::GetAtt" else argument)
