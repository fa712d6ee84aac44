"""What one run leaves on disk while it lasts: logs, scratch files, and which processes are its own.

Each run has a directory of its own under `.local/` (another place, if SOMLENG_SWITCH_LOCAL names one), so that several
can go on at once. `processes.json` in it names the processes, and who looks after them: the demo, or, after
`make demo KEEP=1`, nobody but `make stop`.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from local.processes import Identity

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.get("SOMLENG_SWITCH_LOCAL") or ROOT / ".local")
_RECORD = "processes.json"


class RunDirectory:
    """The directory of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._owner: Identity | None = None
        self.processes: list[Identity] = []

    @classmethod
    def create(cls, home: Path = HOME) -> "RunDirectory":
        """Make a directory for a run that this process looks after."""
        home.mkdir(parents=True, exist_ok=True)
        directory = cls(Path(tempfile.mkdtemp(prefix="run-", dir=home)))
        directory._owner = Identity.of("demo", os.getpid())
        directory._write()
        return directory

    @classmethod
    def all(cls, home: Path = HOME) -> "Iterator[RunDirectory]":
        """Yield every run that is on disk."""
        for record in sorted(home.glob(f"run-*/{_RECORD}")):
            value = json.loads(record.read_text())
            directory = cls(record.parent)
            directory._owner = Identity.from_json(value["owner"]) if value["owner"] else None
            directory.processes = [Identity.from_json(process) for process in value["processes"]]
            yield directory

    @property
    def is_looked_after(self) -> bool:
        """Whether the demo that made it still runs."""
        return self._owner is not None and self._owner.is_alive()

    def add(self, process: Identity) -> None:
        """Note a process as this run's."""
        self.processes.append(process)
        self._write()

    def leave_running(self) -> None:
        """Note that nobody looks after the processes any more."""
        self._owner = None
        self._write()

    def end(self) -> None:
        """End its processes, the last first, and remove it."""
        for process in reversed(self.processes):
            process.end()
        shutil.rmtree(self.path, ignore_errors=True)

    def _write(self) -> None:
        value = {
            "owner": self._owner.to_json() if self._owner else None,
            "processes": [process.to_json() for process in self.processes],
        }
        record = self.path / _RECORD
        scratch = record.with_suffix(".new")
        scratch.write_text(json.dumps(value, indent=2))
        scratch.replace(record)
