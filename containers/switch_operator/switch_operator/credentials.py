"""A client's digests, as the platform makes them of a password."""

import hashlib

from routing import Subscriber
from switch_operator.errors import WrongUse

_SHA512_HALF = 64
"""The platform sends the first half of a SHA-512, which is not SHA-512/256: OpenSIPS uses MD5 and SHA-256 alone."""


def subscriber(username: str, realm: str, password: str) -> Subscriber:
    """Return the row of a client: digests of `username:realm:password` (RFC 8760), and not the password.

    Raises:
        WrongUse: for a user name with a colon, which would be another user's with another realm.
        routing.InvalidRecord: for one that is no SIP user name.

    """
    if ":" in username or ":" in realm:
        raise WrongUse("a user name or a realm with a colon cannot be digested")
    text = f"{username}:{realm}:{password}".encode()
    return Subscriber(
        username,
        hashlib.md5(text, usedforsecurity=False).hexdigest(),
        hashlib.sha256(text).hexdigest(),
        hashlib.sha512(text).hexdigest()[:_SHA512_HALF],
    )
