"""What every program that carries calls is told here: where AWS and the platform are, and secrets of this run."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from routing import TableNames


@dataclass(frozen=True)
class VoiceSettings:
    """Settings that the containers share.

    Attributes:
        aws: what leads an AWS client to the emulator.
        tables: the routing tables' names.
        platform_url, platform_username, platform_password_parameter: the platform's services API.
        bucket: of recordings.
        services_function: ARN of the services function.
        api_username, api_password: what the platform shows the switches.
        event_socket_password: of every FreeSWITCH.

    """

    aws: Mapping[str, str]
    tables: TableNames
    platform_url: str
    platform_username: str
    platform_password_parameter: str
    bucket: str
    services_function: str
    api_username: str
    api_password: str = field(repr=False)
    event_socket_password: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    @property
    def of_scheduler(self) -> dict[str, str]:
        """A scheduler's."""
        names = {table.environment_variable: name for table, name in self.tables.names}
        return {**self.aws, **names, "FS_EVENT_SOCKET_PASSWORD": self.event_socket_password}

    @property
    def of_platform(self) -> dict[str, str]:
        """Where the platform is."""
        return {
            "CALL_PLATFORM_HOST": self.platform_url,
            "CALL_PLATFORM_USERNAME": self.platform_username,
            "CALL_PLATFORM_PASSWORD_PARAMETER": self.platform_password_parameter,
        }
