"""What one run leaves on disk while it lasts: logs, scratch files, and which processes are its own.

Each run has a directory of its own under `.local/` (another place, if SOMLENG_SWITCH_LOCAL names one), so that several
can go on at once. `processes.json` in it names the processes, and the demo that looks after them; `make demo KEEP=1`
does so until `make stop` ends it.
"""

import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from local.processes import Identity

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.get("SOMLENG_SWITCH_LOCAL") or ROOT / ".local")
_RECORD = "processes.json"
_OWNER_SECONDS = 30.0


class RunDirectory:
    """The directory of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._owner: Identity | None = None
        self._lock = threading.Lock()
        self.is_kept = False
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
            directory.is_kept = bool(value["kept"])
            directory.processes = [Identity.from_json(process) for process in value["processes"]]
            yield directory

    @property
    def is_looked_after(self) -> bool:
        """Whether the demo that made it still runs."""
        return self._owner is not None and self._owner.is_alive()

    def add(self, process: Identity) -> None:
        """Note a process as this run's, in place of an earlier one of its name."""
        with self._lock:
            self.processes = [each for each in self.processes if each.name != process.name] + [process]
            self._write()

    def forget(self, name: str) -> None:
        """Note that a process has ended for good."""
        with self._lock:
            self.processes = [each for each in self.processes if each.name != name]
            self._write()

    def keep(self) -> None:
        """Note that the demo has shown everything, and goes on until it is told to end."""
        with self._lock:
            self.is_kept = True
            self._write()

    def tell_owner(self) -> None:
        """Tell the demo that made it to end, and wait until it has."""
        if self._owner is not None:
            self._owner.end_alone(_OWNER_SECONDS)

    def end(self) -> None:
        """End its processes, the last first, and remove it."""
        for process in reversed(self.processes):
            process.end()
        shutil.rmtree(self.path, ignore_errors=True)

    def _write(self) -> None:
        value = {
            "owner": self._owner.to_json() if self._owner else None,
            "kept": self.is_kept,
            "processes": [process.to_json() for process in self.processes],
        }
        record = self.path / _RECORD
        scratch = record.with_suffix(".new")
        scratch.write_text(json.dumps(value, indent=2))
        scratch.replace(record)
