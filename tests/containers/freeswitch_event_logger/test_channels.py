"""The list of channels: rows, none, and what is no list."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freeswitch_event_logger.channels import channel_uuids
from switch_app.errors import EventSocketError


def test_each_uuid_once_in_their_order() -> None:
    rows = [{"uuid": uuid, "direction": "inbound"} for uuid in ("out", "in", "in")]
    assert channel_uuids(json.dumps({"row_count": 3, "rows": rows})) == ["out", "in"]


def test_what_is_no_uuid_is_passed_over() -> None:
    rows: list[dict[str, Any]] = [{"uuid": []}, {"uuid": {}}, {"uuid": ""}, {"uuid": None}, {"uuid": "a"}]
    assert channel_uuids(json.dumps({"row_count": 5, "rows": rows})) == ["a"]


def test_an_idle_switch_has_no_rows() -> None:
    assert channel_uuids('{"row_count": 0}\n') == []


@pytest.mark.parametrize(
    "output",
    ["", "-ERR SQL disabled, no data available!", "[]", "null", '{"rows": []}', '{"row_count": 1, "rows": [1]}'],
)
def test_what_is_no_list(output: str) -> None:
    with pytest.raises(EventSocketError):
        channel_uuids(output)


def objects(each: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({}, optional={"row_count": each, "rows": each, "uuid": each})


SCALARS = st.none() | st.booleans() | st.integers() | st.text()
ANYTHING = st.recursive(SCALARS, lambda each: st.lists(each) | objects(each))


@given(ANYTHING)
def test_any_json_is_a_list_of_texts_or_an_error(document: Any) -> None:
    with contextlib.suppress(EventSocketError):
        assert all(isinstance(uuid, str) for uuid in channel_uuids(json.dumps(document)))
