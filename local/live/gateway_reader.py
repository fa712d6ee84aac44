"""Asks a gateway: its scheduler's health over HTTP, its OpenSIPS over the management interface."""

import contextlib
import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from local.live import gateway_reports
from local.live.calls import Dialog
from local.live.gateway_reports import Management
from local.live.rows import Gateway
from local.live.sources import GatewaySource
from opensips_scheduler.errors import ManagementError, Unreachable
from opensips_scheduler.management_interface import ManagementInterface

_SECONDS: Final = 2.0
_REPORT_MAXIMUM: Final = 1024 * 1024
_PAGE: Final = 16
"""Dialogs in one answer: one has some 1.5 KB, and a datagram takes 64."""
_DIALOGS_MAXIMUM: Final = 192
_STATISTICS: Final = {
    "public": ("requests_refused", "calls_without_switch"),
    "client": ("requests_refused", "calls_without_switch", "calls_without_media_proxy"),
}


@dataclass(frozen=True, slots=True)
class GatewaySeen:
    """What a gateway said at one look: its row, what OpenSIPS says, and which media proxies it has in use."""

    row: Gateway
    management: Management | None
    proxies: list[str]


class GatewayReader:
    """One gateway."""

    def __init__(self, source: GatewaySource) -> None:
        self.source = source
        self._management: ManagementInterface | None = None
        if source.management_socket is not None:
            path = Path(source.management_socket)
            self._management = ManagementInterface(path, path.with_name(f"mi-live-{os.getpid()}.sock"), _SECONDS)

    def read(self) -> GatewaySeen:
        """Return what it says now; one that is not reached says nothing, which its row tells."""
        report = self._report()
        management = None
        if self._management is not None:
            with contextlib.suppress(Unreachable, ManagementError):
                management = self._ask(self._management)
        row = gateway_reports.gateway_row(self.source, report, management)
        return GatewaySeen(row, management, gateway_reports.proxies_in_use(report))

    def _report(self) -> Any:
        try:
            with urllib.request.urlopen(self.source.health_url, timeout=_SECONDS) as answer:  # noqa: S310 - of the run
                return json.loads(answer.read(_REPORT_MAXIMUM))
        except urllib.error.HTTPError as error:
            # 503 has a report, too.
            with error, contextlib.suppress(ValueError):
                return json.loads(error.read(_REPORT_MAXIMUM))
        except (OSError, ValueError):
            pass
        return None

    def _ask(self, management: ManagementInterface) -> Management:
        targets = tuple(gateway_reports.target_loads(management.call("lb_list")))
        names = list(_STATISTICS.get(self.source.kind, ()))
        refused = gateway_reports.statistics_sum(management.call("get_statistics", {"statistics": names}))
        found: dict[str, Dialog] = {}
        total = 0
        for index in range(0, _DIALOGS_MAXIMUM, _PAGE):
            answer = management.call("dlg_list", {"index": index, "counter": _PAGE})
            found |= {dialog.call_id: dialog for dialog in gateway_reports.dialogs(answer)}
            total = int(answer.get("count", 0))
            if index + _PAGE >= total:
                total = len(found)
                break
        return Management(targets, tuple(found.values()), total, refused)
