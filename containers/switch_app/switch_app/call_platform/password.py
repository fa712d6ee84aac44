"""Where the password of the services API comes from."""

import asyncio
from typing import Any, Protocol


class Password(Protocol):
    """A password that may be changed while the app runs."""

    async def __call__(self, refused: str | None) -> str:
        """Return the password.

        Args:
            refused: the one that was just refused; it is worth looking for another one then. None when none was.

        """
        ...


class FixedPassword:
    """A password that does not change."""

    def __init__(self, password: str) -> None:
        self._password = password

    async def __call__(self, refused: str | None) -> str:
        """Return it."""
        return self._password


class ParameterPassword:
    """A password in an SSM parameter, read when it is first needed and again when it was refused.

    Args:
        ssm: a boto3 client.
        name: the parameter's.

    """

    def __init__(self, ssm: Any, name: str) -> None:
        self._ssm, self._name = ssm, name
        self._password: str | None = None
        self._reading = asyncio.Lock()

    async def __call__(self, refused: str | None) -> str:
        """Return it, read anew when it is the one that was refused; requests that fail together cause one reading."""
        if self._password is not None and self._password != refused:
            return self._password
        async with self._reading:
            if self._password is None or self._password == refused:
                self._password = await asyncio.to_thread(self._read)
            return self._password

    def _read(self) -> str:
        value: str = self._ssm.get_parameter(Name=self._name, WithDecryption=True)["Parameter"]["Value"]
        return value
