"""The function's CloudWatch metrics, which Powertools writes to the log in the embedded metric format."""

from collections.abc import Mapping
from typing import Final

from aws_lambda_powertools import Metrics

from lambdas.services.workflows.apply_task_state import Outcome

metrics = Metrics(namespace="SomlengSWITCH")
"""One for the process; its dimension is `service`, which `POWERTOOLS_SERVICE_NAME` says."""

TASK_EVENTS: Final[Mapping[Outcome, str]] = {
    Outcome.CHANGED: "TaskEventsChanged",
    Outcome.UNCHANGED: "TaskEventsUnchanged",
    Outcome.IGNORED: "TaskEventsIgnored",
}
MESSAGES_DONE: Final = "MessagesDone"
MESSAGES_FAILED: Final = "MessagesFailed"
ROWS_HEALED: Final = "RowsHealed"
EVENTS_FAILED: Final = "EventsFailed"

COUNTS: Final = (*TASK_EVENTS.values(), MESSAGES_DONE, MESSAGES_FAILED, ROWS_HEALED, EVENTS_FAILED)
"""Every metric, all of them counts; `docs/services.md` says what each means."""
