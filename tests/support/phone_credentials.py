"""What a phone shows who asks for it: a user name, and that it knows a password (RFC 3261, section 22)."""

from dataclasses import dataclass, field

from tests.support import digest
from tests.support.sip_message import Message

_CHALLENGES = {
    "401": ("WWW-Authenticate", "Authorization"),
    "407": ("Proxy-Authenticate", "Proxy-Authorization"),
}


@dataclass(frozen=True)
class Credentials:
    """Credentials.

    Attributes:
        username: at the gateway.
        password: its own.
        algorithm: what it digests its password with.

    """

    username: str
    password: str = field(repr=False)
    algorithm: str = "SHA-256"

    def answer(self, challenge: Message, method: str, uri: str) -> dict[str, str]:
        """Return the header that a request is sent again with, for it was answered 401 or 407."""
        asks, answers = _CHALLENGES[challenge.first_line.split()[1]]
        chosen = digest.choose(challenge.headers(asks), self.algorithm)
        return {answers: digest.credentials(chosen, method, uri, self.username, self.password)}
