"""The CPU time that a process and all its descendants have used, as Linux keeps it."""

import os
from collections import defaultdict
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(root: int) -> float:
    """Return the seconds of a process and of its descendants, those included that have ended and were waited for."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    used: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            # What precedes the last parenthesis is the name, which may hold anything.
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        process = int(entry.name)
        children[int(fields[1])].append(process)
        used[process] = sum(map(int, fields[11:15])) / _TICKS
    seconds, waiting = 0.0, [root]
    while waiting:
        process = waiting.pop()
        seconds += used.get(process, 0.0)
        waiting += children[process]
    return seconds
