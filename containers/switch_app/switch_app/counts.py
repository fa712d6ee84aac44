"""How the app's parts say that something happened which an operator wants to see counted."""

from collections.abc import Callable

Count = Callable[[str], None]
"""Takes the name of a metric, and adds one to it."""


def uncounted(name: str) -> None:
    """Count nothing."""
