"""The host and port in the SIP URIs and sockets that OpenSIPS keeps of a contact."""

import re

_HOST_PORT = re.compile(
    r"""
    <?
    (?:sips?|udp|tcp|tls|ws|wss):       # a URI's scheme (RFC 3261, section 19.1), or a socket's protocol
    (?:[^@\s]*@)?
    (?P<host>\[[0-9a-fA-F:.]+\]|[^:;?>@\s\[\]]+)
    (?P<port>:\d{1,5})?
    (?:[;?>].*)?                        # parameters, headers, the end of a name-addr
    """,
    re.VERBOSE,
)


def host_port(uri: str) -> str | None:
    """Return `host:port`, or `host` where no port is given; None when it is no such URI.

    Example:
        >>> host_port("sip:user1@45.118.77.153:1619;ob")
        '45.118.77.153:1619'

    """
    match = _HOST_PORT.fullmatch(uri)
    return match["host"] + (match["port"] or "") if match else None
