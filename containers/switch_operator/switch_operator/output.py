"""What a command says: tables for people, or one JSON document for machines, on standard output."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDTH_WITHOUT_TERMINAL = 160
_WHOLE_CELL = 36
"""Characters of a cell that is not broken: a message's id, which is copied from here, has so many."""


class Output:
    """Standard output.

    Args:
        stream: where it goes.
        as_json: whether it is one JSON document, and nothing for people beside it.

    """

    def __init__(self, stream: TextIO, *, as_json: bool) -> None:
        self.as_json = as_json
        self._stream = stream
        width = None if stream.isatty() else _WIDTH_WITHOUT_TERMINAL
        self._console = Console(file=stream, highlight=False, markup=False, emoji=False, width=width, soft_wrap=False)

    def document(self, value: Mapping[str, Any]) -> None:
        """Say all of it, for machines; a command calls it once."""
        if self.as_json:
            self._stream.write(json.dumps(value, indent=2, ensure_ascii=True) + "\n")

    def line(self, text: str = "", style: str = "") -> None:
        """Say a line to people."""
        if not self.as_json:
            self._console.print(Text(printable(text), style=style), soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]], styles: Sequence[str] = ()) -> None:
        """Show a table to people.

        Args:
            columns: the heads.
            rows: the cells; None is shown as a dash. Without any, nothing is shown.
            styles: one a row, where rows differ.

        """
        if self.as_json or not rows:
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for number, column in enumerate(columns):
            longest = max(len(str(row[number])) for row in rows)
            table.add_column(column, overflow="fold", no_wrap=longest <= _WHOLE_CELL)
        for number, row in enumerate(rows):
            cells = [Text("-" if cell is None or cell == "" else printable(str(cell))) for cell in row]
            table.add_row(*cells, style=styles[number] if number < len(styles) else "")
        self._console.print(table)


def counted(number: int, noun: str) -> str:
    """Return a number of things, `1 row` and `2 rows`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def printable(text: str) -> str:
    r"""Return a text in which nothing controls a terminal: what a SIP client calls itself is shown here, too.

    Example:
        >>> printable("phone\x1b[2J")
        'phone\\x1b[2J'

    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )
