"""What OpenSIPS counts: calls and requests that it refused."""

from collections.abc import Mapping
from typing import Final

from opensips_scheduler.errors import ManagementError
from opensips_scheduler.reloads import Commands
from opensips_scheduler.settings import Kind

STATISTICS: Final[Mapping[Kind, Mapping[str, str]]] = {
    Kind.PUBLIC: {"calls_without_switch": "CallsWithoutSwitch", "requests_refused": "RequestsRefused"},
    Kind.CLIENT: {
        "calls_without_switch": "CallsWithoutSwitch",
        "requests_refused": "RequestsRefused",
        "calls_without_media_proxy": "CallsWithoutMediaProxy",
    },
}
"""Metrics by the statistic of the gateway's configuration that they are taken from."""


class RefusedCalls:
    """Turns OpenSIPS's counters, which begin at 0 with each start, into what was counted since the last look.

    Args:
        commands: OpenSIPS.
        kind: of the gateway.

    """

    def __init__(self, commands: Commands, kind: Kind) -> None:
        self._commands, self._names = commands, STATISTICS[kind]
        self._last: dict[str, int] = {}

    def take(self) -> dict[str, float]:
        """Return the metrics since the last time; the first time, since OpenSIPS started.

        Raises:
            Unreachable: when OpenSIPS does not answer.
            ManagementError: when it refuses, or does not know a counter.

        """
        answer = self._commands.call("get_statistics", {"statistics": list(self._names)})
        # "script:calls_without_switch": a counter comes with the name of its group.
        found = {name.rpartition(":")[2]: int(value) for name, value in (answer or {}).items()}
        if missing := set(self._names) - set(found):
            raise ManagementError(f"get_statistics: OpenSIPS does not count {', '.join(sorted(missing))}")
        taken = {}
        for name, metric in self._names.items():
            before = self._last.get(name, 0)
            taken[metric] = float(found[name] - before if found[name] >= before else found[name])
        self._last = found
        return taken
