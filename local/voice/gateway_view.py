"""What a running gateway has loaded, as its OpenSIPS tells it."""

import itertools
from pathlib import Path
from typing import Any

from opensips_scheduler.errors import ManagementError, Unreachable
from opensips_scheduler.former_targets import GROUP as FORMER_TARGETS
from opensips_scheduler.management_interface import ManagementInterface

_numbers = itertools.count(1)


class GatewayView:
    """A gateway.

    Args:
        kind: `public` or `client`.
        address: where peers reach it.
        state: its STATE_DIRECTORY.

    """

    def __init__(self, kind: str, address: str, state: Path) -> None:
        self.kind, self.address, self.state = kind, address, state

    @property
    def socket(self) -> Path:
        """Its management socket, which takes JSON-RPC in datagrams."""
        return self.state / "mi.sock"

    def ask(self, method: str, **parameters: Any) -> Any:
        """Return what a management command comes to; None while OpenSIPS does not answer."""
        own = self.state / f"mi-look-{next(_numbers)}.sock"
        try:
            return ManagementInterface(self.socket, own, 2.0).call(method, parameters)
        except Unreachable:
            return None

    def targets(self) -> list[str]:
        """Return the URIs of the switches that it sends calls to."""
        found = (self.ask("lb_list") or {}).get("Destinations", [])
        return sorted(each["uri"] for each in found if each["group"] != FORMER_TARGETS)

    def permits(self, address: str) -> bool:
        """Tell whether an address may call."""
        return f"'{address}'" in str(self.ask("address_dump"))

    def media_proxies(self) -> list[str]:
        """Return the sockets of the media proxies that new calls get."""
        sets = self.ask("rtpengine_show") or []
        return [node["url"] for each in sets if str(each["Set"]) == "0" for node in each["Nodes"]]

    def domains(self) -> str:
        """Return the domains that it takes for its own, as text."""
        return str(self.ask("domain_dump"))

    def contacts(self, username: str) -> list[str]:
        """Return where a client's registrations came from."""
        try:
            found = self.ask("ul_show_contact", table_name="location", aor=username)
        except ManagementError:
            return []  # it knows no such client
        return [str(each.get("Received") or each["Contact"]) for each in (found or {}).get("Contacts", [])]

    def statistic(self, name: str) -> int:
        """Return one of its statistics."""
        ((_, value),) = (self.ask("get_statistics", statistics=[name]) or {name: 0}).items()
        return int(value)
