"""What can go wrong in the switch app."""


class SwitchAppError(Exception):
    """Base of every error of this package."""


class InvalidSetting(SwitchAppError):
    """An environment variable is missing or wrong. The message names it."""


class InvalidRequest(SwitchAppError):
    """A request to the HTTP API that cannot be served as it is. The message names the field."""


class TwimlError(SwitchAppError):
    """A document that cannot be run: not XML, or a verb or noun that is wrong or not allowed where it stands.

    Attributes:
        line: where in the document, counted from 1; None when the whole document is meant.

    """

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line = line


class FetchFailed(SwitchAppError):
    """The customer's server gave no document or no audio: not reached, too late, too much, a refused address, a status
    that is no success. The message says which."""


class PlatformRefused(SwitchAppError):
    """The platform understood a request and refuses it (4xx): a blocked destination, an unknown number.

    Attributes:
        status: HTTP status of the answer.

    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class PlatformUnavailable(SwitchAppError):
    """The platform was not reached, or answered 5xx, as often as was tried."""


class OutcomeUnknown(PlatformUnavailable):
    """The platform was sent something and did not say what came of it, and doing it twice would do harm."""


class CallEnded(SwitchAppError):
    """The call's leg is gone: whatever was to be done on it cannot be done any more.

    Attributes:
        cause: FreeSWITCH's name of the Q.850 cause, `NORMAL_CLEARING`.

    """

    def __init__(self, cause: str = "NORMAL_CLEARING") -> None:
        super().__init__(f"the call has ended: {cause}")
        self.cause = cause


class MediaServerError(SwitchAppError):
    """The media server did not do what it was asked, or is not reached. The message names the command."""


class SynthesisFailed(SwitchAppError):
    """A text could not be turned into speech. The message names the voice and why, never the text."""


class TaskProtectionFailed(SwitchAppError):
    """ECS does not protect this task, or does not release it. The message says why."""


class Draining(SwitchAppError):
    """This switch takes no new call, since it is to end."""


class EventSocketError(MediaServerError):
    """What came over an event socket is not its protocol, or is more than is taken. The message says what."""


class CannotBegin(SwitchAppError):
    """A port is taken, or a directory cannot be written to. The message names it."""


class InvalidMessage(SwitchAppError):
    """What came over a media stream's WebSocket is none of the protocol's messages. The text says why, and has none of
    the message."""
