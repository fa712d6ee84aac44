"""A subscriber's password as the platform sends it."""

import hashlib


def digests(username: str, realm: str, password: str) -> dict[str, str]:
    """Return the digests of a `CreateOpenSIPSSubscriberJob` (RFC 2617, RFC 8760)."""
    identity = f"{username}:{realm}:{password}".encode()
    return {
        "md5_password": hashlib.md5(identity).hexdigest(),  # noqa: S324 - the oldest algorithm of SIP clients
        "sha256_password": hashlib.sha256(identity).hexdigest(),
        # Not SHA-512/256, whose name the column has: the platform cuts SHA-512 off.
        "sha512_password": hashlib.sha512(identity).hexdigest()[:64],
    }
