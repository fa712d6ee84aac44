"""What can go wrong in the scheduler."""


class SchedulerError(Exception):
    """Base of every error of this package."""


class InvalidSetting(SchedulerError):
    """An environment variable is missing or wrong. The message names it."""


class UnusableRow(SchedulerError):
    """A row that OpenSIPS could not use; it would skip it with a log line, or resolve names while calls wait."""


class ManagementError(SchedulerError):
    """OpenSIPS refused a command, or answered something that is no answer."""


class Unreachable(SchedulerError):
    """OpenSIPS's management interface does not answer: it is starting, stopping, or gone."""


class NotRunning(Unreachable):
    """Nobody listens at OpenSIPS's management interface: it has not started, or has ended."""
