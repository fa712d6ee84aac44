"""Whom a person's softphone registers as, and the number that it dials."""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from local.digests import digests

REALM = "somleng.org"
_PASSWORD_FILE = "softphone-password"  # noqa: S105 - its name


@dataclass(frozen=True, slots=True)
class Softphone:
    """A softphone.

    Attributes:
        password: of its user.
        address: of this machine, which it reaches the client gateway and the media proxy at; None for one of loopback.
        username: a number, since it is whom its calls come from.
        number: what it dials.

    """

    password: str = field(repr=False)
    address: str | None = None
    username: str = "85510777001"
    number: str = "1000"

    @property
    def digests(self) -> dict[str, str]:
        """The password as the platform sends it."""
        return digests(self.username, REALM, self.password)


def kept_password(home: Path) -> str:
    """Return the softphone's password, made once and kept in a directory for its owner alone to read."""
    file = home / _PASSWORD_FILE
    try:
        return file.read_text()
    except FileNotFoundError:
        password = secrets.token_hex(8)
        home.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:
            written.write(password)
        return password
