"""What is logged: messages are literals, so that nothing of a call or a customer can be in one.

What varies is in fields beside the message, by name. Whoever shows messages relies on it (`local/live`).
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LEVELS = ("debug", "info", "warning", "error", "exception", "critical")
SOURCES = sorted(
    path
    for folder in ("containers", "lambdas", "layers")
    for path in (ROOT / folder).rglob("*.py")
    if "build" not in path.parts
)


def logged(source: str) -> Iterator[tuple[int, ast.expr | None]]:
    """Yield line and message of each call of a logger."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
            owner = node.func.value
            name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
            if name.lstrip("_") in ("logger", "logging", "log"):
                yield node.lineno, node.args[0] if node.args else None


def test_messages_are_literals() -> None:
    found = [(path, *each) for path in SOURCES for each in logged(path.read_text())]
    assert len(found) > 100
    assert [
        f"{path.relative_to(ROOT)}:{line}"
        for path, line, message in found
        if not (isinstance(message, ast.Constant) and isinstance(message.value, str) and "%" not in message.value)
    ] == []


@pytest.mark.parametrize(
    "call", ['logger.info(f"pressed {keys}")', 'logger.error("pressed %s", keys)', "logger.info(text)"]
)
def test_others_are_found(call: str) -> None:
    [(_, message)] = logged(call)
    assert not isinstance(message, ast.Constant) or "%" in message.value
