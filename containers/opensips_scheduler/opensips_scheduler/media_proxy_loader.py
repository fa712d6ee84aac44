"""Has OpenSIPS use the media proxies of the routing table that answer, apart from everything else the scheduler does:
whatever a proxy does or does not, no other work waits for it."""

import logging
from collections.abc import Callable
from typing import Any

from opensips_scheduler.errors import UnusableRow
from opensips_scheduler.follower import Progress
from opensips_scheduler.management_interface import ManagementInterface
from opensips_scheduler.media_proxies import MediaProxies, own_set
from opensips_scheduler.reloads import Reloads
from routing import MediaProxy, RoutingReader, Table
from routing.reader import RejectedRow

logger = logging.getLogger(__name__)


class ProxyCommands:
    """The reload of the proxies, as OpenSIPS stands it."""

    def __init__(self, management: ManagementInterface) -> None:
        self._management = management

    def call(self, method: str, parameters: dict[str, Any] | None = None) -> Any:
        """Run a command.

        A soft reload leaves the proxies in use alone, but it crashes OpenSIPS 3.6.8 as long as that knows none.
        """
        if method == "rtpengine_reload" and self._management.call("rtpengine_show"):
            parameters = {"type": "soft"}
        return self._management.call(method, parameters)


class MediaProxyLoader:
    """The two steps, each of which has a thread of its own: reading the table, and asking the proxies.

    Args:
        reader: the routing tables.
        proxies: who asks the proxies and writes OpenSIPS's file.
        reloads: runs `rtpengine_reload`.
        progress: where rows that cannot be used are noted.
        on_skip: is told of each of them, once.

    """

    def __init__(
        self,
        reader: RoutingReader,
        proxies: MediaProxies,
        reloads: Reloads,
        progress: Progress,
        on_skip: Callable[[RejectedRow], object],
    ) -> None:
        self._reader, self._proxies, self._reloads = reader, proxies, reloads
        self._progress, self._on_skip = progress, on_skip
        self._position: int | None = None

    def read_table(self) -> None:
        """Read the table if it changed."""
        position = self._reader.position(Table.MEDIA_PROXIES)
        if position == self._position:
            return
        snapshot = self._reader.snapshot(Table.MEDIA_PROXIES)
        listed, skipped = {}, list(snapshot.rejected)
        for socket, record in snapshot.records.items():
            try:
                own_set(socket)
            except UnusableRow as error:
                skipped.append(RejectedRow(Table.MEDIA_PROXIES, socket, str(error)))
                continue
            if isinstance(record, MediaProxy):
                listed[socket] = record
        self._progress.keep_skipped(Table.MEDIA_PROXIES, {row.key for row in skipped})
        for row in skipped:
            if self._progress.skip(row):
                logger.error("row skipped", extra={"table": row.table.value, "key": row.key, "reason": row.reason})
                self._on_skip(row)
        self._progress.rows[Table.MEDIA_PROXIES] = len(listed)
        self._progress.positions[Table.MEDIA_PROXIES] = snapshot.position
        self._proxies.listed, self._position = listed, snapshot.position

    def check(self) -> None:
        """Ask the proxies, and have OpenSIPS read them when they changed, or when it was started anew.

        Raises:
            Unreachable: when OpenSIPS does not answer; it stays due.
            ManagementError: when it refuses.

        """
        if self._proxies.check():
            self._reloads.require("rtpengine_reload")
        self._reloads.notice_restart()
        self._reloads.run()
