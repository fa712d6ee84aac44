"""What can go wrong. Each message says what, where, and what to do."""


class OperatorError(Exception):
    """Base of every error of this package; a command that meets one ends with status 1."""


class WrongUse(OperatorError):
    """The command was given something that it cannot work with; it ends with status 2."""


class NotDone(OperatorError):
    """What was asked for was refused or did not succeed; nothing was changed, unless the message says so."""


class ClockOff(OperatorError):
    """This machine's clock is not AWS's, so that a change made now would be ordered wrongly."""


class FunctionFailed(OperatorError):
    """A function was invoked and raised."""


class NoAnswer(OperatorError):
    """A gateway's scheduler did not answer as it does."""
