"""Events and problems: what processes logged and what the journal says, the last of each. Pure but for the model."""

import itertools
from typing import Final

from local.live.log_lines import LogLine
from local.live.model import Model
from local.live.rows import Event, Problem

_EVENTS_MAXIMUM: Final = 60
_PROBLEMS_MAXIMUM: Final = 40
_UNINTERESTING: Final = frozenset({"event", "verb begins", "call is handed over", "call ended", "call originated"})
"""Messages of single calls: the calls show them."""

_METRICS: Final = {
    "MessagesDone": "jobs done",
    "MessagesFailed": "jobs failed",
    "RecordingsConverted": "recordings converted",
}


class Happenings:
    """Puts events and problems into a model, and takes the oldest out."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._numbers = itertools.count(1)

    def take(self, source: str, line: LogLine, log: str) -> None:
        """Take a line that a process or function logged, and where it is written."""
        if line.is_error:
            self._note_problem(source, line, log)
            return
        for metric, what in _METRICS.items():
            if count := line.number(metric):
                self.note(Event(line.at, source, what, str(count), metric == "MessagesFailed"))
        is_of_call = bool(line.text("call_uuid")) and line.level == "INFO"
        if line.message and line.message not in _UNINTERESTING and not is_of_call and line.level != "DEBUG":
            detail = " ".join(filter(None, (line.subject, line.text("outcome"), line.text("phase"))))
            if (healed := line.number("rows_healed")) is not None:
                detail = f"{healed} rows healed"
            self.note(Event(line.at, source, line.message, detail, line.level in ("WARNING", "NOTICE")))

    def note(self, event: Event) -> None:
        """Have an event."""
        self._model.put(f"e{next(self._numbers)}", event)
        for key in self._model.keys(Event)[:-_EVENTS_MAXIMUM]:
            self._model.remove(Event, key)

    def _note_problem(self, process: str, line: LogLine, log: str) -> None:
        key = f"{process} {line.place} {line.message}"
        known = self._model.get(Problem, key)
        first, count = (known.first, known.count) if isinstance(known, Problem) else (line.at, 0)
        # Taken out first, so that the order is that of the last time.
        self._model.remove(Problem, key)
        problem = Problem(line.at, first, process, line.level, line.place, line.message, line.subject, log, count + 1)
        self._model.put(key, problem)
        for oldest in self._model.keys(Problem)[:-_PROBLEMS_MAXIMUM]:
            self._model.remove(Problem, oldest)
