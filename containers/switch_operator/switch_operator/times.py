"""Points of time as people read them."""

from datetime import UTC, datetime


def moment(seconds: float | None) -> str | None:
    """Return seconds since the epoch as UTC, to the second; None for None.

    Example:
        >>> moment(1_772_877_600)
        '2026-03-07T10:00:00Z'

    """
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ago(seconds: float) -> str:
    """Return how long something is since, by its largest unit; what is to come counts as just now.

    Example:
        >>> ago(7_300)
        '2 h ago'

    """
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"
