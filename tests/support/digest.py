"""HTTP digest authentication of SIP requests with MD5 and SHA-256 (RFC 3261, section 22.4, and RFC 8760)."""

import hashlib
import re
from collections.abc import Iterable

_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


def parameters(challenge: str) -> dict[str, str]:
    """Return the parameters of a WWW-Authenticate or Proxy-Authenticate value."""
    return {
        name.lower(): quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', challenge)
    }


def choose(challenges: Iterable[str], algorithm: str) -> dict[str, str]:
    """Return the parameters of the challenge with an algorithm; fail when none has it."""
    offered = [parameters(challenge) for challenge in challenges]
    chosen = [each for each in offered if each.get("algorithm", "MD5") == algorithm]
    assert chosen, f"{algorithm} is not offered: {offered}"
    return chosen[0]


def credentials(challenge: dict[str, str], method: str, uri: str, username: str, password: str) -> str:
    """Return the value of an Authorization or Proxy-Authorization header."""
    algorithm = challenge.get("algorithm", "MD5")

    def digest(*parts: str) -> str:
        return _HASHES[algorithm](":".join(parts).encode()).hexdigest()

    identity = digest(username, challenge["realm"], password)
    count, own = "00000001", "0a4f113b"
    answer = digest(identity, challenge["nonce"], count, own, "auth", digest(method, uri))
    values = {"username": username, "realm": challenge["realm"], "nonce": challenge["nonce"], "uri": uri}
    values |= {"response": answer, "cnonce": own}
    quoted = ", ".join(f'{name}="{value}"' for name, value in values.items())
    return f"Digest {quoted}, algorithm={algorithm}, qop=auth, nc={count}"
