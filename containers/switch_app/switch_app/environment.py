"""Reads environment variables, each as what it means; one that is missing or wrong is named."""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from switch_app.errors import InvalidSetting

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


class Environment:
    """Reads variables; an empty one counts as one that is not set. Every method raises `InvalidSetting`.

    Args:
        variables: the environment.

    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def text(self, name: str, default: str = "") -> str:
        """Return a text; without a default it must be set."""
        value = self._variables.get(name) or default
        if not value:
            raise InvalidSetting(f"environment variable {name} is not set")
        return value

    def seconds(self, name: str, default: float, least: float, most: float) -> float:
        """Return a number of seconds within limits."""
        value = self.text(name, str(default))
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not least <= number <= most:
            raise InvalidSetting(f"environment variable {name} is {value!r}, not seconds from {least:g} to {most:g}")
        return number

    def port(self, name: str, default: int) -> int:
        """Return a port."""
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdecimal()) or not 1 <= int(value) < 65_536:
            raise InvalidSetting(f"environment variable {name} is {value!r}, not a port")
        return int(value)

    def host_and_port(self, name: str, default: str) -> tuple[str, int]:
        """Return the host and the port of `host:port`."""
        value = self.text(name, default)
        host, _, port = value.rpartition(":")
        if not host or not (port.isascii() and port.isdecimal()) or not 1 <= int(port) < 65_536:
            raise InvalidSetting(f"environment variable {name} is {value!r}, not a host and a port")
        return host, int(port)

    def address(self, name: str, default: str = "") -> str:
        """Return an IP address."""
        value = self.text(name, default)
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            raise InvalidSetting(f"environment variable {name} is {value!r}, not an IP address") from None

    def url(self, name: str) -> str:
        """Return an http or https URL, without a slash at the end."""
        value = self.text(name)
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise InvalidSetting(f"environment variable {name} is {value!r}, not an http or https URL")
        return value.rstrip("/")

    def path(self, name: str, default: str) -> Path:
        """Return an absolute path."""
        value = Path(self.text(name, default))
        if not value.is_absolute():
            raise InvalidSetting(f"environment variable {name} is {str(value)!r}, not an absolute path")
        return value

    def networks(self, name: str) -> tuple[IPNetwork, ...]:
        """Return networks, separated by commas; none when it is not set."""
        written = [part.strip() for part in self._variables.get(name, "").split(",") if part.strip()]
        try:
            return tuple(ipaddress.ip_network(part) for part in written)
        except ValueError as error:
            raise InvalidSetting(f"environment variable {name} is no list of networks: {error}") from None

    def one_of(self, name: str, default: str, values: tuple[str, ...]) -> str:
        """Return one of some values, in capitals."""
        value = self.text(name, default).upper()
        if value not in values:
            raise InvalidSetting(f"environment variable {name} is {value!r}, not one of {', '.join(values)}")
        return value
