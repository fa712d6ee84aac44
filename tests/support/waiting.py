"""Waits until something is so."""

import time
from collections.abc import Callable

import pytest


def until(what: str, is_so: Callable[[], object], seconds: float = 10) -> float:
    """Wait until it is so, and return how long that took."""
    began = time.monotonic()
    while not is_so():
        if time.monotonic() - began > seconds:
            pytest.fail(f"waited {seconds} seconds for {what}")
        time.sleep(0.02)
    return time.monotonic() - began
