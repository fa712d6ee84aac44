"""What AWS and the functions accept as a setting: checked at synthesis, where a mistake costs seconds.

Each function raises a `SettingsError` that names the key. AWS's limits are those of the CloudFormation resource's
property; the functions' own are in their `settings.py`.
"""

import re
from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from cdk.errors import SettingsError

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""What CloudWatch Logs accepts as a retention in days."""

ECS_NAME = r"[A-Za-z0-9_-]{1,255}"
REGION_NAME = r"[a-z]{2}(-[a-z]+)+-\d"
PARAMETER_NAME = r"/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*"
HOST_NAME = r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
INSTANCE_TYPE = r"[a-z][a-z0-9-]*\d[a-z0-9-]*\.[a-z0-9-]+"
BUCKET_NAME = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"


def within(key: str, value: int, low: int, high: int) -> None:
    """Check a number's bounds, both included."""
    if not low <= value <= high:
        raise SettingsError(key, f"must be {low} to {high}, not {value}")


def port(key: str, value: int) -> None:
    """Check a port's number."""
    if not 1 <= value <= 65535:
        raise SettingsError(key, f"must be a port (1 to 65535), not {value}")


def one_of(key: str, value: object, values: Sequence[object]) -> None:
    """Check that a value is one of those that are accepted."""
    if value not in values:
        raise SettingsError(key, f"must be one of {', '.join(map(str, values))}, not {value}")


def matches(key: str, value: str, pattern: str, meaning: str) -> None:
    """Check a text's form; `meaning` says in the error what it should have been."""
    if not re.fullmatch(pattern, value):
        raise SettingsError(key, f"must be {meaning}, not '{value}'")


def distinct(key: str, values: Sequence[object], what: str) -> None:
    """Check that no two values are the same."""
    if len(set(values)) < len(values):
        raise SettingsError(key, f"must differ from each other in {what}")


def address(key: str, value: str) -> None:
    """Check an IP address."""
    try:
        ip_address(value)
    except ValueError as error:
        raise SettingsError(key, f"must be an IP address, not '{value}'") from error


def network(key: str, value: str) -> None:
    """Check an IPv4 network."""
    try:
        ip_network(value)
    except ValueError as error:
        raise SettingsError(key, f"must be an IP network, not '{value}'") from error


def bit_rate(key: str, value: str) -> None:
    """Check the bit rate of an MP3: bits a second, or thousands of them with a `k`."""
    match = re.fullmatch(r"(\d{1,7})(k?)", value, re.IGNORECASE)
    if match is None or not 8_000 <= int(match[1]) * (1000 if match[2] else 1) <= 320_000:
        raise SettingsError(key, f"must be from 8k to 320k, not '{value}'")
