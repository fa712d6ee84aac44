"""The page of alarms: every alarm and no other, each with the page that it names itself."""

import re
from collections.abc import Callable

from cdk.application import ROOT
from tests.cdk.conftest import ENVIRONMENTS, Templates

PAGE = (ROOT / "docs" / "alarms.md").read_text()


def explained() -> dict[str, str]:
    """Return the page of each alarm, as alarms name it."""
    pages = {}
    for line in PAGE.splitlines():
        if line.startswith("| `"):
            names, _, _, link = [cell.strip() for cell in line.strip("|").split("|")]
            (target,) = re.findall(r"\]\(([^)]+)\)", link)
            page = f"docs/alarms.md{target}" if target.startswith("#") else f"docs/{target}"
            for name in re.findall(r"`(\w+)`", names):
                assert name not in pages
                pages[name] = page
    return pages


def test_every_alarm_is_in_the_table_with_its_page_and_no_other(synthesise: Callable[[str], Templates]) -> None:
    raised = {
        re.sub(r"^Alarms(\w+?)[0-9A-F]{8}$", r"\1", name): each["Properties"]["AlarmDescription"]
        for environment in ENVIRONMENTS
        for template in synthesise(environment).values()
        for name, each in template.content["Resources"].items()
        if each["Type"] == "AWS::CloudWatch::Alarm"
    }
    assert explained() == {name: description.partition("Runbook: ")[2] for name, description in raised.items()}


def test_settings_that_the_page_names_are_there() -> None:
    keys = set(re.findall(r"`([a-z]\w+[A-Z]\w+)`", PAGE))
    settings = (ROOT / "docs" / "settings.md").read_text()
    assert {key for key in keys if f"| `{key}` |" not in settings} == set()
