"""Header lines as they came, of which each is decoded only when somebody asks for it: an event has hundreds, and a call
needs a handful."""

import re
from collections.abc import Iterator, Mapping
from typing import Final, TypeVar, overload
from urllib.parse import unquote

from switch_app.errors import EventSocketError

T = TypeVar("T")

# A name, a colon, and whatever follows. Nothing is tried twice, however many lines there are.
_LINES: Final = re.compile(rb"(?:[^\S\n]*+[^\s:][^\n:]*+:[^\n]*+(?:\n|\Z))*+")


_FEW_BYTES: Final = 1024
"""Up to so many bytes of lines it costs less to read them all."""


def read_headers(lines: bytes) -> Mapping[str, str]:
    """Return header lines by name, as they stand. Of a name that comes twice the first counts, as within FreeSWITCH.

    Args:
        lines: without the empty line that ends them.

    Raises:
        EventSocketError: when there is none, or for a line that has no name.

    """
    if len(lines) > _FEW_BYTES:
        _require_names(lines)
        return Headers(lines)
    headers: dict[str, str] = {}
    for line in lines.split(b"\n"):
        name, colon, value = line.partition(b":")
        if not colon or not name.strip():
            raise _no_header(line)
        headers.setdefault(name.decode(errors="surrogateescape"), value.decode(errors="replace").strip())
    return headers


def decoded(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return headers with their values percent-decoded."""
    if isinstance(headers, Headers):
        return headers.decoded()
    return {name: unquote(value) for name, value in headers.items()}


def _require_names(lines: bytes) -> None:
    match = _LINES.match(lines)
    if match is None or match.end() != len(lines) or lines.endswith(b"\n"):
        raise _no_header(lines[match.end() if match else 0 :].partition(b"\n")[0])


def _no_header(line: bytes) -> EventSocketError:
    return EventSocketError(f"a header line is {line[:60]!r}")


class Headers(Mapping[str, str]):
    """Header lines by name. Of a name that comes twice the first counts, as within FreeSWITCH.

    Args:
        lines: without the empty line that ends them. One that has no name is none of them.
        is_encoded: whether values are percent-encoded.

    """

    __slots__ = ("_is_encoded", "_lines")

    def __init__(self, lines: bytes, *, is_encoded: bool = False) -> None:
        self._lines, self._is_encoded = b"\n" + lines, is_encoded

    def decoded(self) -> "Headers":
        """Return the same lines with their values percent-decoded."""
        return Headers(self._lines[1:], is_encoded=True)

    def __getitem__(self, name: str) -> str:
        value = self._find(name)
        if value is None:
            raise KeyError(name)
        return value

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, /, default: str | T) -> str | T: ...
    def get(self, name: str, /, default: str | T | None = None) -> str | T | None:
        """Return a header's value, or the default."""
        value = self._find(name)
        return default if value is None else value

    def _find(self, name: str) -> str | None:
        key = f"\n{name}:".encode(errors="surrogateescape")
        begin = self._lines.find(key)
        if begin < 0 or "\n" in name or ":" in name:
            return None
        begin += len(key)
        end = self._lines.find(b"\n", begin)
        text = self._lines[begin : None if end < 0 else end].decode(errors="replace").strip()
        return unquote(text) if self._is_encoded else text

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def _names(self) -> Mapping[str, None]:
        """Return every name once, in their order."""
        lines = (line.partition(b":") for line in self._lines[1:].split(b"\n"))
        return dict.fromkeys(name.decode(errors="surrogateescape") for name, colon, _ in lines if name and colon)


class Prefixed(Mapping[str, str]):
    """Those headers whose names begin in the same way, by what follows.

    Args:
        headers: all of them.
        prefix: what the names begin with.

    """

    __slots__ = ("_headers", "_prefix")

    def __init__(self, headers: Mapping[str, str], prefix: str) -> None:
        self._headers, self._prefix = headers, prefix

    def __getitem__(self, name: str) -> str:
        return self._headers[self._prefix + name]

    def __iter__(self) -> Iterator[str]:
        return (name.removeprefix(self._prefix) for name in self._headers if name.startswith(self._prefix))

    def __len__(self) -> int:
        return sum(1 for _ in self)
