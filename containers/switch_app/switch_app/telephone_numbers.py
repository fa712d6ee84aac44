"""Telephone numbers as carriers want them dialled and shown."""

import re
from dataclasses import dataclass
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberFormat, ValidationResult

_NOT_DIGITS: Final = re.compile(r"[^0-9]")


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How a trunk wants its numbers.

    Attributes:
        national: whether in national format, with the digit that is dialled before it there: 0716100987.
        plus: whether a number in international format has a plus; nothing when `national` holds.

    """

    national: bool = False
    plus: bool = False


def digits_of(text: str) -> str:
    """Return a number's digits."""
    return _NOT_DIGITS.sub("", text)


def format_number(text: str, number_format: NumberFormat) -> str:
    """Return a number as a trunk wants it. What is not plausible with a country code, a short code for example, is left
    with its digits alone; a text without a digit gives an empty one.

    Args:
        text: with its country code, with a plus or without.
        number_format: how it is wanted.

    """
    digits = digits_of(text)
    number = _plausible(digits)
    if number is None:
        return digits
    if number_format.national:
        return digits_of(phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))
    return f"+{digits}" if number_format.plus else digits


def _plausible(digits: str) -> phonenumbers.PhoneNumber | None:
    """Return the number when its length is right for its country; whether it is in use is the carrier's to say, whose
    numbering plan may be newer than the one that is known here."""
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return None
    is_whole = phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    return number if is_whole else None
