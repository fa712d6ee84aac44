"""The password of the platform's services API: an SSM SecureString, kept for a while."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

logger = Logger(child=True)

_KEPT_SECONDS = 300.0


class SsmClients(Protocol):
    """Makes the SSM client when it is first needed."""

    @property
    def ssm(self) -> "SSMClient":
        """SSM in the function's own region."""
        ...


class PlatformPassword:
    """Reads the password when it is first needed, when it was kept for five minutes, and when it was refused.

    Args:
        clients: where SSM is.
        name: the parameter's.
        clock: seconds.

    """

    def __init__(self, clients: SsmClients, name: str, clock: Callable[[], float]) -> None:
        self._clients, self._name, self._clock = clients, name, clock
        self._password: str | None = None
        self._read_at = 0.0

    def __call__(self, refused: bool) -> str:
        """Return the password.

        While SSM cannot be asked, the one that is known serves on: most likely it still holds.

        Args:
            refused: whether the platform has just refused the one that was returned last.

        Raises:
            botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError: when SSM does not give it, and none is
                known or the known one is refused.

        """
        if self._password is not None and not refused and self._clock() - self._read_at < _KEPT_SECONDS:
            return self._password
        try:
            answer = self._clients.ssm.get_parameter(Name=self._name, WithDecryption=True)
        except (ClientError, BotoCoreError) as error:
            if self._password is None or refused:
                raise
            logger.warning("password cannot be read anew", parameter=self._name, reason=str(error))
            return self._password
        self._password, self._read_at = answer["Parameter"]["Value"], self._clock()
        return self._password
