"""Telephone numbers in the formats of carriers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch_app.telephone_numbers import NumberFormat, format_number

NATIONAL = NumberFormat(national=True)
PLUS = NumberFormat(plus=True)


@pytest.mark.parametrize(
    ("text", "number_format", "expected"),
    [
        ("+855 (716)-100-987", NATIONAL, "0716100987"),  # APP-106
        ("+16505130514", NATIONAL, "6505130514"),  # APP-107
        ("+855 (716)-100-987", PLUS, "+855716100987"),  # APP-108
        ("1393", PLUS, "1393"),  # APP-109
        ("1393", NATIONAL, "1393"),
        ("2442", PLUS, "2442"),
        ("855716100987", NumberFormat(), "855716100987"),
        ("8562092960310", NATIONAL, "02092960310"),
        ("85523238265", NATIONAL, "023238265"),
        ("85516701721", NATIONAL, "016701721"),
        ("447400123456", NATIONAL, "07400123456"),
        ("390612345678", NATIONAL, "0612345678"),  # the zero is the number's own
        ("anonymous", PLUS, ""),
        ("", PLUS, ""),
        ("0" * 40, NATIONAL, "0" * 40),
    ],
)
def test_a_number_is_formatted(text: str, number_format: NumberFormat, expected: str) -> None:
    assert format_number(text, number_format) == expected


@given(st.text(max_size=40), st.booleans(), st.booleans())
def test_whatever_comes_digits_go(text: str, national: bool, plus: bool) -> None:
    formatted = format_number(text, NumberFormat(national, plus))
    assert all(character in "0123456789" for character in formatted.removeprefix("+"))
