"""Reads what the roles of a template may do."""

import re
from collections.abc import Iterator
from typing import Any

from tests.cdk.conftest import Template

KINDS = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text(value: Any) -> str:
    """Return a resource's name with a reference as `<logical id>` and an import as `<export>`."""
    if isinstance(value, str):
        return value
    ((function, argument),) = value.items()
    if function == "Fn::Sub":
        return re.sub(r"\$\{([\w:]+)\}", r"<\1>", argument)
    if function == "Fn::Join":
        return "".join(text(part) for part in argument[1])
    if function == "Fn::GetAtt":
        return f"<{argument[0]}>"
    if function == "Fn::ImportValue":
        return f"<{text(argument).partition(':ExportsOutput')[2].removeprefix('FnGetAtt').removeprefix('Ref')}>"
    assert function == "Ref", f"a resource is named by {function}"
    return f"<{argument}>"


def policies(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the logical id of a role, or of a policy that no role has, and each of its statements."""
    for name, resource in template.content.get("Resources", {}).items():
        if resource["Type"] == "AWS::IAM::Role":
            for policy in resource["Properties"].get("Policies", []):
                for statement in policy["PolicyDocument"]["Statement"]:
                    yield name, statement
    for kind in KINDS:
        for policy in template.properties(kind):
            # A policy that is for people has no role here; it goes by its own name.
            for role in policy.get("Roles", [{"Ref": template.logical_id(policy)}]):
                for statement in policy["PolicyDocument"]["Statement"]:
                    yield role["Ref"], statement


def statements(template: Template, role: str) -> list[dict[str, Any]]:
    """Return the statements of a role whose logical id begins so."""
    return [statement for name, statement in policies(template) if name.startswith(role)]


def granted(template: Template, role: str) -> dict[str, set[str]]:
    """Return the actions that a role may do, by resource."""
    actions: dict[str, set[str]] = {}
    for statement in statements(template, role):
        assert statement["Effect"] == "Allow"
        assert not {"NotAction", "NotResource"} & set(statement)
        for resource in as_list(statement["Resource"]):
            actions.setdefault(text(resource), set()).update(as_list(statement["Action"]))
    return actions


def readable(actions: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return the same with logical ids as people read them: without the digests that CloudFormation's ids end in."""
    return {re.sub(r"<(\w+?)[0-9A-F]{8}(Arn[0-9A-F]{8})?>", r"<\1>", name): each for name, each in actions.items()}
