"""Numbers for restored contacts that OpenSIPS takes for its own.

OpenSIPS numbers a contact by a hash of its address of record (bits 46 to 61), a number of the record (14 to 45), and a
number of the contact within it (0 to 13). It loads a row with another number as expired, makes a contact with a number
of its own beside it, and replaces the row seconds later in two steps: ended in between, it has lost the contact.
"""

from typing import Final

_CONTACT_BITS: Final = 14
_RECORD_BITS: Final = 32
_WORD: Final = 0xFFFF_FFFF


def hash_of(aor: str) -> int:
    """Return the 32-bit hash that OpenSIPS sorts addresses of record by; `aor` is ASCII.

    The text is taken in words of four bytes, the last one being what is left, or 0.
    """
    text = aor.encode("ascii")
    whole = len(text) // 4 * 4
    words = [int.from_bytes(text[start : start + 4], "big") for start in range(0, whole, 4)]
    words.append(int.from_bytes(text[whole:], "big"))
    total = sum(word ^ word >> 3 for word in words) & _WORD
    return (total + (total >> 11) + (total >> 13) + (total >> 23)) & _WORD


class ContactIdentifiers:
    """Numbers the contacts of one file, which holds no others."""

    def __init__(self) -> None:
        self._records: dict[str, tuple[int, int]] = {}

    def next(self, aor: str) -> int | None:
        """Return the number of another contact of an address of record.

        None where it is not ASCII, which OpenSIPS hashes as the machine's signed or unsigned characters have it; then
        SQLite makes a number, and OpenSIPS another.
        """
        if not aor.isascii():
            return None
        record, contacts = self._records.get(aor, (len(self._records) + 1, 0))
        self._records[aor] = record, contacts + 1
        start = (hash_of(aor) & 0xFFFF) << _CONTACT_BITS + _RECORD_BITS
        return start + (record << _CONTACT_BITS) + contacts + 1
