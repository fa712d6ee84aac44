"""FreeSWITCH's events as they come: logged, and the last heartbeat kept for whoever asks how FreeSWITCH is."""

import logging
from collections.abc import Callable
from typing import Final

from freeswitch_event_logger.event_lines import Heartbeat, heartbeat_of, line_of
from freeswitch_event_logger.metrics import Metrics
from switch_app.freeswitch.messages import Event

logger = logging.getLogger(__name__)

HEARTBEAT: Final = "HEARTBEAT"


class EventLog:
    """Takes events. It never waits.

    Args:
        metrics: where heartbeats go.
        interval: seconds between two heartbeats that are written; FreeSWITCH sends one a second.
        clock: a clock that never goes back, in seconds.

    Attributes:
        heartbeat: the last one; None while FreeSWITCH is not connected.
        last_event: when anything came last, by the clock.

    """

    def __init__(self, metrics: Metrics, interval: float, clock: Callable[[], float]) -> None:
        self._metrics, self._interval, self._clock = metrics, interval, clock
        self._written: float | None = None
        self.heartbeat: Heartbeat | None = None
        self.last_event = clock()

    def take(self, event: Event) -> None:
        """Log an event."""
        self.last_event = self._clock()
        if event.name == HEARTBEAT:
            self._take_heartbeat(event)
        else:
            logger.info("event", extra=dict(line_of(event)))

    def lose(self) -> None:
        """Forget how FreeSWITCH was: it is not connected any more."""
        self.heartbeat = None

    def _take_heartbeat(self, event: Event) -> None:
        heartbeat = self.heartbeat = heartbeat_of(event)
        if heartbeat is None:
            logger.warning("a heartbeat says nothing of sessions")
            return
        if self._written is not None and self.last_event - self._written < self._interval:
            return
        self._written = self.last_event
        values = {
            "SessionCount": heartbeat.sessions,
            "MaxSessions": heartbeat.maximum,
            "IdleCpu": heartbeat.idle_cpu,
        }
        # FreeSWITCH's own names, too: metric filters look for them.
        names = {
            "Session-Count": heartbeat.sessions,
            "Max-Sessions": heartbeat.maximum,
            "Idle-CPU": heartbeat.idle_cpu,
        }
        self._metrics.publish(values, {"event": HEARTBEAT, **names})
