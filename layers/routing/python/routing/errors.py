"""What can go wrong with the routing tables."""


class RoutingError(Exception):
    """Base of every error of this package."""


class InvalidRecord(RoutingError, ValueError):
    """A value that no routing table may hold. The message names the field and, unless it is secret, the value."""


class WriteConflict(RoutingError):
    """Other writers kept moving the journal for longer than a write is willing to retry. Nothing was written."""


class PositionTooOld(RoutingError):
    """The journal no longer holds every change after the reader's position: a whole read of the table is due."""


class MissingSetting(RoutingError, KeyError):
    """An environment variable that names a table is missing or empty."""

    def __str__(self) -> str:
        return str(self.args[0])
