"""What stops a synthesis."""


class SettingsError(Exception):
    """A setting is missing or wrong; the message names its key, and says what it must be."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"setting '{key}' {problem} (see cdk.json, or give it with -c {key}=...)")
        self.key = key


class BundlingError(Exception):
    """A bundle could not be built; the message holds what pip said."""
