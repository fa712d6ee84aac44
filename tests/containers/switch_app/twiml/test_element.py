"""How attributes are read."""

import logging

import pytest

from switch_app.twiml.element import Element


def element(value: str | None) -> Element:
    return Element("Verb", 7, {} if value is None else {"a": value, "loop": value, "method": value})


@pytest.mark.parametrize(
    ("written", "expected", "warns"),
    [
        (None, 5, False),
        ("", 5, False),
        (" 7 ", 7, False),
        ("+7", 7, False),
        ("-7", 1, False),
        ("1000000000000000000000", 9, False),
        ("7.5", 5, True),
        ("seven", 5, True),
        ("\u0667", 5, True),
        ("7" * 5000, 5, True),
    ],
)
def test_a_whole_number_is_within_bounds(
    written: str | None, expected: int, warns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert element(written).integer("a", 5, 1, 9) == expected
    assert [record.message for record in caplog.records] == ["attribute counts as its default"] * warns


@pytest.mark.parametrize(
    ("written", "expected"),
    [(None, True), ("", True), ("true", True), ("FALSE", False), (" false ", False), ("0", True), ("no", True)],
)
def test_a_truth_value(written: str | None, expected: bool) -> None:
    assert element(written).flag("a", default=True) is expected


@pytest.mark.parametrize(
    ("written", "expected"), [(None, 1), ("0", 1000), ("3", 3), ("2000", 1000), ("-3", 1), ("x", 1)]
)
def test_x_9_how_often(written: str | None, expected: int) -> None:
    assert element(written).loop() == expected


@pytest.mark.parametrize(
    ("written", "expected"), [(None, "POST"), ("GET", "GET"), ("get", "GET"), ("PUT", "POST"), ("", "POST")]
)
def test_x_8_a_method(written: str | None, expected: str) -> None:
    assert element(written).method() == expected


@pytest.mark.parametrize(("written", "expected"), [(None, "#"), ("", ""), ("*9", "*9"), ("A", "#"), ("1,2", "#")])
def test_keys(written: str | None, expected: str) -> None:
    assert element(written).keys("a", "#") == expected


def test_an_error_names_verb_attribute_and_line() -> None:
    error = element("x").attribute_error("a", "is wrong")
    assert (str(error), error.line) == ("line 7: <Verb> attribute 'a' is wrong", 7)
