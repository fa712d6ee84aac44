"""From which values on operators want to be told, where deployments differ."""

from dataclasses import dataclass

from cdk import limits


@dataclass(frozen=True, slots=True)
class AlarmThresholds:
    """Thresholds of alarms; counts are of five minutes.

    Attributes:
        calls_refused: calls that found no switch, or no media proxy.
        requests_refused: requests of peers that may not ask. A gateway on the Internet is tried all the time.
        notifications_dropped: events that the platform never gets.
        data_age_seconds: age of what a gateway knows of the tables.
        record_age_seconds: how long a call data record waits for the platform.
        sessions_percent: of `switchMaximumSessions`, on the fullest switch.
        cpu_percent: on average over a service's tasks, for a quarter of an hour.

    """

    calls_refused: int
    requests_refused: int
    notifications_dropped: int
    data_age_seconds: int
    record_age_seconds: int
    sessions_percent: int
    cpu_percent: int

    def __post_init__(self) -> None:
        limits.within("alarmAtCallsRefused", self.calls_refused, 1, 1_000_000)
        limits.within("alarmAtRequestsRefused", self.requests_refused, 1, 1_000_000)
        limits.within("alarmAtNotificationsDropped", self.notifications_dropped, 1, 1_000_000)
        limits.within("alarmAtDataAgeSeconds", self.data_age_seconds, 60, 86_400)
        limits.within("alarmAtRecordAgeSeconds", self.record_age_seconds, 60, 86_400)
        limits.within("alarmAtSessionsPercent", self.sessions_percent, 1, 100)
        limits.within("alarmAtCpuPercent", self.cpu_percent, 1, 100)
