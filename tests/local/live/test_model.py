"""Rows that come, change and go; what is told of it is enough to know them all."""

import dataclasses
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from local.live import rows
from local.live.model import Model
from local.live.rows import COLLECTIONS, Permission, Queue


def test_what_is_as_it_was_is_no_change() -> None:
    model = Model()
    model.put("a", Permission("192.0.2.1", 1))
    assert model.take() == {"put": {"permissions": {"a": {"source": "192.0.2.1", "group": 1}}}, "remove": {}}
    model.put("a", Permission("192.0.2.1", 1))
    assert model.take() is None
    model.put("a", Permission("192.0.2.1", 2))
    model.put("a", Permission("192.0.2.1", 1))
    assert model.take() is None
    model.put("b", Permission("192.0.2.2", 1))
    model.remove(Permission, "b")
    assert model.take() is None


def test_a_collection_is_replaced_by_its_difference() -> None:
    model = Model()
    model.replace(Queue, {"a": Queue("a", 1, 0), "b": Queue("b", 1, 0)})
    model.take()
    model.replace(Queue, {"b": Queue("b", 1, 0), "c": Queue("c", 1, 0)})
    patch = model.take()
    assert patch == {"put": {"queues": {"c": {"name": "c", "waiting": 1, "in_flight": 0}}}, "remove": {"queues": ["a"]}}


def test_every_kind_of_row_is_frozen_and_holds_nothing_but_plain_values() -> None:
    kinds = [kind for kind in vars(rows).values() if dataclasses.is_dataclass(kind) and kind is not rows.Position]
    assert set(kinds) == set(COLLECTIONS)
    plain = {"str", "int", "bool", "int | None", "tuple[str, ...]", "tuple[Position, ...]"}
    for kind in kinds:
        assert kind.__dataclass_params__.frozen
        types = {
            getattr(each.type, "__name__", "") if isinstance(each.type, type) else str(each.type)
            for each in dataclasses.fields(kind)
        }
        assert {name.replace("local.live.rows.", "").strip("'") for name in types} <= plain | {"tuple"}, kind


STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "remove", "take"]), st.sampled_from("abc"), st.integers(0, 2)), max_size=40
)


@given(STEPS)
def test_patches_lead_from_one_snapshot_to_the_next(steps: list[tuple[str, str, int]]) -> None:
    model, known = Model(), Model().snapshot()

    def take() -> None:
        patch: Any = model.take() or {"put": {}, "remove": {}}
        for name, keys in patch["remove"].items():
            for key in keys:
                del known[name][key]
        for name, put in patch["put"].items():
            known[name].update(put)

    for step, key, group in steps:
        if step == "put":
            model.put(key, Permission(key, group))
        elif step == "remove":
            model.remove(Permission, key)
        else:
            take()
    take()
    assert known == model.snapshot()
