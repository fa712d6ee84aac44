"""Every command that the operators' pages name is one: of the command line, of make, of the AWS CLI."""

import re
import shlex
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.session import Session

from switch_operator.command_line import parser

ROOT = Path(__file__).parents[3]
RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
PAGES = [*RUNBOOKS, ROOT / "docs" / "operator.md", ROOT / "docs" / "deployment.md"]
CLI_OPTIONS = {"--region", "--query", "--output", "--cli-binary-format"}
"""Of the AWS CLI itself; what else it is given are parameters of the operation."""


def commands(page: Path) -> list[str]:
    """Return the commands of a page's indented blocks, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", page.read_text())
    return [line.strip() for line in text.splitlines() if re.match(r" {4,}\S", line)]


def operator_commands(page: Path) -> list[list[str]]:
    """Return the arguments of the operator's commands of a page."""
    found = [match[1] for line in commands(page) for match in re.finditer(r'make operator ARGS="([^"]*)"', line)]
    found += [
        line.removeprefix("$ switch_operator ") for line in commands(page) if line.startswith("$ switch_operator ")
    ]
    return [re.sub(r"<[^>]*>", "1", command.partition(" < ")[0]).replace("$group", "1").split() for command in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_the_operator_parses(page: Path) -> None:
    for arguments in operator_commands(page):
        assert callable(parser().parse_args(arguments).run)


def test_the_commands_are_found() -> None:
    """Without this, a page whose commands look otherwise would pass above."""
    assert all(operator_commands(page) for page in PAGES if page.stem != "README")
    said = {arguments[0] for arguments in operator_commands(ROOT / "docs" / "operator.md") if arguments[0][0] != "-"}
    assert said == {
        "check",
        "targets",
        "permissions",
        "subscribers",
        "registrations",
        "journal",
        "dead-letters",
        "failures",
        "reconcile",
    }


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)
def test_every_command_of_the_aws_cli_is_an_operation_with_these_parameters(page: Path) -> None:
    session = Session()
    for line in commands(page):
        for command in re.findall(r"(?:^|\| *)(aws [^|]*)", line):
            plain = re.sub(r"<[^>]*>", "X", command)  # what is to be filled in
            _, service, operation, *rest = shlex.split(plain)
            if operation == "wait":
                assert service == "dynamodb"
                assert rest[0] == "table-exists"
                continue
            model = session.get_service_model(service)
            names = {xform_name(name, "-"): name for name in model.operation_names}
            assert operation in names, command
            members = {
                f"--{xform_name(name, '-')}" for name in model.operation_model(names[operation]).input_shape.members
            }
            given = {word for word in rest if word.startswith("--")}
            assert given - CLI_OPTIONS <= members, command


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)
def test_what_a_runbook_leads_to_is_there(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+\.md)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / link).resolve().is_file(), link


def test_every_runbook_is_in_the_list() -> None:
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", (ROOT / "docs" / "runbooks" / "README.md").read_text()))
    assert listed == {page.name for page in RUNBOOKS if page.stem != "README"}
