"""What can go wrong on a developer's machine. Each message says what to do about it."""


class LocalError(Exception):
    """Base of every error of this package."""


class ServerFailed(LocalError):
    """A server did not come up; the message holds the end of its log."""


class CommandFailed(LocalError):
    """A command ended with an error; the message holds the end of what it printed."""


class StepFailed(LocalError):
    """A step of the demo did not come to what it should within its time."""
