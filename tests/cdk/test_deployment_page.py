"""The operators' pages: the tables of settings are the settings, and what is named is there."""

import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import get_type_hints

from cdk.application import ROOT
from cdk.context import read_settings
from cdk.settings import Settings
from tests.cdk.conftest import CONTEXT, Templates

PAGE = (ROOT / "docs" / "deployment.md").read_text()
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
LISTS = {"regions": "hydrogen, helium", "networks": "10.10.0.0/16, 10.20.0.0/16"}
"""Values that the page puts in words."""


def cells(text: str) -> list[list[str]]:
    """Return the cells of each row that begins with a name."""
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def fields(model: type, prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Yield the key of each setting, and whether it must be given."""
    for item in dataclasses.fields(model):
        kind = get_type_hints(model)[item.name]
        path = f"{prefix}_{item.name}" if prefix else item.name
        if dataclasses.is_dataclass(kind):
            assert isinstance(kind, type)
            yield from fields(kind, path)
        else:
            first, *rest = path.split("_")
            yield first + "".join(map(str.capitalize, rest)), item.default is dataclasses.MISSING


def test_every_setting_is_in_the_table_with_its_default() -> None:
    listed = {key.strip("`"): default for key, default, _ in cells(SETTINGS)}
    settings = CONTEXT["settings"]
    own = {
        key for name in ("local", "staging", "production") for key in settings[name] if key not in settings["common"]
    }
    absent = {key for key, required in fields(Settings) if not required and key not in settings["common"]}
    assert {key for key, required in fields(Settings) if required} <= {"environment", *own, *settings["common"]}
    expected = dict.fromkeys(own, "") | {
        key: LISTS[key] if key in LISTS else str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in settings["common"].items()
    }
    assert listed == {"environment": CONTEXT["environment"], **expected, **dict.fromkeys(absent, "none")}


def test_what_has_no_value_in_cdk_json_is_a_setting_all_the_same() -> None:
    settings = read_settings(
        {**CONTEXT, "recordingsBucketName": "recordings", "alarmEmail": "a@b", "s3MpegReservedConcurrency": "7"}
    )
    assert settings.recordings_bucket_name == "recordings"
    assert settings.s3_mpeg.reserved_concurrency == 7
    unset = read_settings(CONTEXT)
    assert (unset.recordings_bucket_name, unset.alarm_email) == (None, None)
    assert (unset.services.reserved_concurrency, unset.s3_mpeg.reserved_concurrency) == (None, None)


def test_every_output_and_stack_that_the_page_names_is_there(synthesise: Callable[[str], Templates]) -> None:
    templates = synthesise("production")
    outputs = {name for template in templates.values() for name in template.content.get("Outputs", {})}
    assert set(re.findall(r"<([A-Z]\w+)>", PAGE)) <= outputs
    named = set(re.findall(r"somleng-switch-production-([a-z0-9-]+[a-z0-9])", PAGE))
    assert named <= {*templates, "events"}
